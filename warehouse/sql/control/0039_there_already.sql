-- A value that was there before anything was sent has an outcome of its own: a plan has not applied it.
update control.outcomes set outcome = 'there already' where outcome = 'applied' and message = 'it was so already'
