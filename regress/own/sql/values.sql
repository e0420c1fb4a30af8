-- Literals, operators and casts of the scalar types, without a table.
select 1 + 2 * 3 as sum, 7 / 2 as quotient, -7 % 3 as remainder, 2 ^ 10 as power;
select 2147483647 + 1;
select 9223372036854775807 - 1 as near_the_end, 32767::int2 as small;
select 1.10 + 2.205 as exact, 1::numeric / 3 as third, round(2.5) as up, round(-2.5) as down;
select 0.1::float8 + 0.2::float8 as inexact, 'NaN'::float8 = 'NaN'::float8 as nan_equals_itself;
select true and null as unknown, true or null as known, not null::bool as still_unknown;
select 'it''s', E'tab\there', $$dollar $ quoted$$, U&'\0061\0062';
select 'abc' || 'def' as joined, length('hällo') as characters, octet_length('hällo') as bytes;
select upper('abc'), lower('ABC'), initcap('two words'), substr('abcdef', 2, 3), position('cd' in 'abcdef');
select null is null as is_null, 1 is distinct from null as differs, coalesce(null, 2, 3), nullif(4, 4);
select case when 1 > 2 then 'more' when 1 = 2 then 'same' else 'less' end;
select greatest(1, 3, 2), least('b', 'a', 'c');
select '42'::int, 42::text, '3.14'::numeric(5, 1), 'yes'::bool, 't'::bool;
select 'abc' like 'a%' as starts, 'abc' ilike 'A_C' as folded, 'a%c' like 'a\%c' as escaped;
select '\xdeadbeef'::bytea, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid;
select (1, 2) < (1, 3) as rows_compare, (1, null) = (1, null) as unknown;
select 5 between 1 and 10 as inside, 5 in (1, 2, 3) as listed, 5 not in (1, null) as unknown;
select cast('1' as int4) + cast(1.6 as int4);
select 'abc'::int;
select 1 / 0;
-- Columns are named after what is cast, unless that is a type's name too.
select '42'::int2::int8, 'x'::text::varchar, case when true then 1::text else 'a'::text end, (select 1::int4);
-- A length is applied to a literal after it was read: the error names no place in it.
create table narrow (a numeric(4,4), b varchar(3));
insert into narrow values ('1.0', 'a');
insert into narrow values ('.1', 'abcd');
insert into narrow values ('.1', 'abc   ') returning *;
drop table narrow;
