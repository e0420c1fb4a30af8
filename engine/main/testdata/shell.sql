create table t(a int, b text); insert into t values (1, 'one'), (2, E'two\nlines'), (30, null);
select * from t order by a;
select a as number, b "a wide heading", a * 2.5 as c from t
  order by a desc;
insert into t values (4, 'four') returning b, a;
-- a comment; with a semicolon
select 'quoted; semicolon' as q, $$dollar; quote$$ as d, 1 /* a ; comment */ as n;
select;
select from t;
select 1 / 0;
select nothing from t;
select a, b, 'a long line that goes on so that it must be cut' as filler, missing from t where a > 0 and b is not null and true;
insert into t values (1, 'x', 3);
begin;
select 1
;
rollback; drop table if exists nowhere; drop table t;
select 'the last one has no semicolon' as last
