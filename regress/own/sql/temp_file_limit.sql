-- A session's temporary files together take no more than it may.
show temp_file_limit;
set work_mem = '64kB';
set temp_file_limit = '1MB';
select count(*) from (select g from generate_series(1, 300000) g order by g % 1013 offset 0) s;
-- What the failed statement took is free again.
select count(*) from (select g from generate_series(1, 10000) g order by g % 1013 offset 0) s;
set temp_file_limit = -1;
select count(*) from (select g from generate_series(1, 300000) g order by g % 1013 offset 0) s;
set hash_mem_multiplier = 0.5;
set maintenance_work_mem = '1MB';
create table temp_limit_rows as select g as a, g % 1013 as b from generate_series(1, 100000) g;
create index on temp_limit_rows (b, a);
select count(*) from temp_limit_rows where b = 7;
drop table temp_limit_rows;
