-- Note that nothing of what was erased is left in any file.
update control.erasures set finished_at = $now where finished_at is null
