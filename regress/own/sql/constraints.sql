-- What a table refuses.
create table rule_bound (
  id integer primary key,
  code text unique,
  amount integer check (amount >= 0),
  low integer not null,
  high integer,
  constraint in_order check (low < high)
);
insert into rule_bound values (1, 'a', 10, 1, 2);
insert into rule_bound values (1, 'b', 10, 1, 2);
insert into rule_bound values (2, 'a', 10, 1, 2);
insert into rule_bound values (2, 'b', -1, 1, 2);
insert into rule_bound values (2, 'b', 10, null, 2);
insert into rule_bound values (2, 'b', 10, 3, 2);
insert into rule_bound values (2, null, null, 1, null);
insert into rule_bound values (3, null, 5, 1, 9);
select * from rule_bound order by id;
update rule_bound set id = 1 where id = 2;
update rule_bound set amount = -5 where id = 1;
update rule_bound set low = high + 1 where id = 3;
-- A statement fails as a whole.
insert into rule_bound values (10, 'x', 1, 1, 2), (11, 'a', 1, 1, 2), (12, 'z', 1, 1, 2);
select count(*) from rule_bound;
create unique index on rule_bound (low, high);
insert into rule_bound values (4, 'd', 5, 1, 9);
create unique index pairs on rule_bound (low);
alter table rule_bound add constraint small check (amount < 100);
insert into rule_bound values (5, 'e', 100, 7, 9);
alter table rule_bound drop constraint small;
insert into rule_bound values (5, 'e', 100, 7, 9);
alter table rule_bound alter column code set not null;
select id, code, amount from rule_bound order by code nulls first, id;
drop table rule_bound;
