-- ON CONFLICT where one snapshot serves the whole transaction: a row that it does not see may neither be changed nor
-- be passed over. Another session commits between the snapshot and the statement.
\setenv PGHOST :HOST
\setenv PGPORT :PORT
\setenv PGUSER :USER
\setenv PGDATABASE :DBNAME
create table stock (id int primary key, amount int);
insert into stock values (1, 10);
begin isolation level repeatable read;
select * from stock order by id;
\! psql -X -q -c 'insert into stock values (2, 20), (3, 30)'
insert into stock values (2, 1) on conflict (id) do update set amount = stock.amount + 1;
rollback;
begin isolation level repeatable read;
select * from stock order by id;
\! psql -X -q -c 'insert into stock values (4, 40)'
insert into stock values (4, 1) on conflict do nothing;
rollback;
begin isolation level repeatable read;
select count(*) from stock;
\! psql -X -q -c 'update stock set amount = 0 where id = 1' -c 'delete from stock where id = 2'
insert into stock values (2, 1) on conflict (id) do update set amount = 5;
insert into stock values (1, 1) on conflict (id) do update set amount = 5;
rollback;
begin isolation level repeatable read;
select count(*) from stock;
\! psql -X -q -c 'update stock set amount = 7 where id = 1'
insert into stock values (1, 1) on conflict do nothing;
rollback;
-- What the transaction sees or made itself it may go by.
begin isolation level repeatable read;
select count(*) from stock;
insert into stock values (1, 1) on conflict do nothing;
insert into stock values (8, 1), (8, 2), (9, 1) on conflict do nothing returning *;
insert into stock values (8, 1), (9, 1) on conflict (id) do update set amount = 9 returning *;
commit;
-- READ COMMITTED goes by what is there.
begin;
select count(*) from stock;
\! psql -X -q -c 'insert into stock values (5, 50), (6, 60)'
insert into stock values (5, 1) on conflict do nothing;
insert into stock values (6, 1) on conflict (id) do update set amount = stock.amount + 1;
commit;
select * from stock order by id;
drop table stock;
