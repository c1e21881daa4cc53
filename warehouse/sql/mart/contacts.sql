-- One row per contact, with the client it belongs to.
-- email_key, phone_digits: mail and phone for comparing two contacts, in lower case and as digits only.
create view mart.contacts as
select
    k.source, k.id, k.client_id, c.display_name as client_name, c.number as client_number,
    case when c.is_deleted then 'deleted' when c.archived_at is not null then 'archived' else 'active' end as client_status,
    k.first_name, k.last_name, k.email,
    case  -- lower() follows the language of a Postgres database (INFO is ınfo in a Turkish one), but not by "C"
        when k.email ~ '^[ -~]*$' then lower(trim(k.email, ' ') collate "C")
        else translate(
            trim(k.email, ' '),
            'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
                || 'ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞĀĂĄĆĈĊČĎĐĒĔĖĘĚĜĞĠĢĤĦĨĪĬĮİĲĴĶĹĻĽĿŁŃŅŇŊŌŎŐŒŔŖŘŚŜŞŠŢŤŦŨŪŬŮŰŲŴŶŸŹŻŽ'
                || 'ΆΈΉΊΌΎΏΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΪΫ'
                || 'ЀЁЂЃЄЅІЇЈЉЊЋЌЍЎЏАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ',
            'abcdefghijklmnopqrstuvwxyz'
                || 'àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþāăąćĉċčďđēĕėęěĝğġģĥħĩīĭįiĳĵķĺļľŀłńņňŋōŏőœŕŗřśŝşšţťŧũūŭůűųŵŷÿźżž'
                || 'άέήίόύώαβγδεζηθικλμνξοπρστυφχψωϊϋ'
                || 'ѐёђѓєѕіїјљњћќѝўџабвгдежзийклмнопрстуфхцчшщъыьэюя'
        )
    end as email_key,
    k.phone,
    nullif(regexp_replace(k.phone, '[^0-9]', '', 'g'), '') as phone_digits, k.is_primary, k.send_email, k.is_locked,
    k.custom_value1, k.custom_value2, k.custom_value3, k.custom_value4,
    k.last_login, k.created_at, k.updated_at
from ninja.contacts as k
join ninja.clients as c on c.source = k.source and c.id = k.client_id
