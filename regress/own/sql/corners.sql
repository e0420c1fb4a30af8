-- Calls with VARIADIC, array literals, window frames, limits and zones at their edges.
select num_nulls(variadic array[1, null, 2]), num_nonnulls(variadic array[1, null]), num_nulls(variadic null::int[]), num_nulls(1, null), num_nonnulls(variadic '{}'::int[]);
select num_nulls(variadic 1);
select num_nulls();
select '{{1},2}'::int[];
select '[-2147483648:2147483647]={1}'::int[];
select '[99999999999:1]={1}'::int[];
select '[0:2147483647]={1}'::int[];
select sum(x) over (groups between 1 preceding and current row) from generate_series(1, 3) x;
select sum(x) over (order by x rows x preceding) from generate_series(1, 3) x;
select sum(x) over (order by x rows between x preceding and current row) from generate_series(1, 3) x;
select sum(x) over (order by x range between x preceding and current row) from generate_series(1, 3) x;
select sum(x) over (order by x groups between 1 preceding and x following) from generate_series(1, 3) x;
select sum(x) over (order by x rows sum(1) preceding) from generate_series(1, 3) x;
select sum(x) over (order by x range sum(1) preceding) from generate_series(1, 3) x;
select sum(x) over (order by x rows row_number() over () preceding) from generate_series(1, 3) x;
select sum(x) over (order by x rows generate_series(1, 2) preceding) from generate_series(1, 3) x;
select (select sum(y) over (order by y rows x preceding) from generate_series(1, 2) y limit 1) from generate_series(1, 2) x;
\set VERBOSITY terse
select format('select %s', string_agg('1', ',')) from generate_series(1, 1665) \gexec
select format('select 1 order by %s', string_agg(g || '+1', ',')) from generate_series(1, 1664) g \gexec
select format('select concat(%s)', string_agg('1', ',')) from generate_series(1, 101) \gexec
select format('create table wide (%s)', string_agg('c' || g || ' int', ',')) from generate_series(1, 1601) g \gexec
select format('create view wide as select %s', string_agg('1 as c' || g, ',')) from generate_series(1, 1665) g \gexec
\set VERBOSITY default
set timezone = 'nope/zone';
set timezone = 'AB5';
show timezone;
set timezone = 'ABCD-3:45:10';
set timezone = 'utc';
show timezone;
set timezone = 'asia/kathmandu';
show timezone;
select timestamptz '2020-01-01 10:00+00' at time zone '+05:30', timestamptz '2020-01-01 10:00+00' at time zone 'AB5', timestamptz '2020-01-01 10:00+00' at time zone '<+0330>-3:30';
select timestamptz '2020-01-01 10:00+00' at time zone 'WXYZ';
reset timezone;
create temp table collated (a text collate "C", b text);
insert into collated values ('x', 'y');
select collation for (a), collation for (b), collation for ('x' collate "POSIX"), pg_collation_for(a || 'z') from collated;
select collation for (1);
drop table collated;
-- collations that meet
create temp table two_collations (a text collate "C", b text collate "POSIX", c text);
select 'a' collate "C" < 'b' collate "POSIX";
select ('a' collate "C" || 'b' collate "POSIX") || 'c';
select a < c, c < b, a < b collate "C", (a || 'x') < c, coalesce(a, b) is null from two_collations;
select a || b || 'x' from two_collations order by 1;
select * from two_collations order by a || b;
select * from two_collations order by a || b collate "C";
select a from two_collations union select b from two_collations;
select a from two_collations union select c from two_collations;
select a from two_collations union all select b from two_collations;
select distinct a || b from two_collations;
select a || b from two_collations group by a || b;
select row_number() over (order by a || b) from two_collations;
select max(a || 'x') from two_collations group by c;
drop table two_collations;
select null::bit::bytea;
select 'bit'::regtype, 'bit(3)'::regtype, '{bit}'::regtype[];
select '1 day'::regtype;
select 'int4('::regtype;
select regclasssend('pg_class'), regtypesend('int4'), regprocsend('now');
select json_object('{}', '{a,b}');
select jsonb_exists_any('{"a":1}', '{{a},{b}}');
select regexp_replace('a', 'b', 'c', '12');
select "timezone"('1 day', timestamp 'epoch');
