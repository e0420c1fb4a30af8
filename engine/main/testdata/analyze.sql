-- ANALYZE's facts, and VACUUM's; every table is small enough that its sample is the whole of it.
create table a (id int primary key, few int, text_few text, half_null numeric, wide text, same bool, at date);
insert into a select i, i % 7, 'value ' || (i * i % 13), case when i % 2 = 0 then i / 10 end,
  case when i % 3 = 0 then repeat('w', 1500) else 'short' end, true, date '2020-01-01' + (i * 37 % 500)
  from generate_series(1, 3000) i;
select relpages > 0 as pages, reltuples from pg_class where relname = 'a';
analyze a;
select relpages > 0 as pages, reltuples from pg_class where relname = 'a';
select relpages > 0 as pages, reltuples from pg_class where relname = 'a_pkey';
select attname, stanullfrac, stawidth, stadistinct, stakind1, staop1, stakind2, staop2, stakind3, staop3
  from pg_statistic join pg_attribute on attrelid = starelid and attnum = staattnum
  where starelid = (select oid from pg_class where relname = 'a') order by attnum;
select attname, stanumbers1, stanumbers2, stanumbers3
  from pg_statistic join pg_attribute on attrelid = starelid and attnum = staattnum
  where starelid = (select oid from pg_class where relname = 'a') order by attnum;
select attname, stavalues1, stavalues2
  from pg_statistic join pg_attribute on attrelid = starelid and attnum = staattnum
  where starelid = (select oid from pg_class where relname = 'a') and attnum <> 5 order by attnum;
set default_statistics_target = 3;
analyze a (few);
select stadistinct from pg_statistic
  where starelid = (select oid from pg_class where relname = 'a') and staattnum = 2;
reset default_statistics_target;
delete from a where id > 1000;
vacuum a;
select reltuples from pg_class where relname = 'a';
vacuum (analyze) a;
select count(*), sum(id) from a;
vacuum (bogus) a;
analyze (full) a;
vacuum a (id);
analyze a (nothing);
analyze a (id, id);
vacuum nowhere;
create view v as select 1 as one;
vacuum v;
analyze v;
begin;
vacuum a;
rollback;
begin;
analyze a;
commit;
create table empty (a int);
analyze empty;
select relpages, reltuples from pg_class where relname = 'empty';
vacuum empty;
select relpages, reltuples from pg_class where relname = 'empty';
vacuum;
analyze;
drop table a;
select count(*) from pg_statistic where starelid >= 16384 and starelid not in (select oid from pg_class);
