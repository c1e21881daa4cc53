-- Take the watermark of an entity out, before its new one is put in.
delete from control.watermarks where source = $source and entity = $entity
