-- One chunk of the records set aside.
select source, run_id, record from kept where place >= $first and place < $last order by place
