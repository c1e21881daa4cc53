-- When everything was last read, as far as earlier versions have noted it.
update control.watermarks
set full_at = (
    select max(r.began_at) from control.runs as r where r.source = control.watermarks.source and r.kind = 'full'
)
where entity = 'clients'
