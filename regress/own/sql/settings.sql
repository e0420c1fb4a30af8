-- Time zones as SET takes them.
set timezone = '-02';
show timezone;
select timestamptz '2020-01-01 00:00 UTC';
set timezone = '+13.5';
show timezone;
set time zone 2;
show timezone;
set timezone = 'Europe/Berlin';
show timezone;
reset timezone;
-- A statement is told of its end while it counts what it drops, and while it waits for its own temporary files.
set statement_timeout = '300ms';
select count(*) from generate_series(1, 2000000000000) g where g < 0;
with recursive r as (select 1 as n union all select n + 1 from r) select count(*) from r;
set work_mem = '64kB';
with recursive r as (select 1 as n union all select n + 1 from r) select count(*) from r;
select count(*) from generate_series(1, 100000000) a, (values (1), (2)) v(b) where a < b - 5;
reset all;
-- One long value is no shelter.
set statement_timeout = '150ms';
select length(replace(repeat('ab', 40000000), 'a', 'ccc'));
select md5(repeat('x', 100000000));
reset all;
