-- A prepared statement answers each execution anew: other parameters, other rows, other transactions.
create table shelf (id int primary key, kind text, n int);
insert into shelf select g, case when g % 3 = 0 then 'a' else 'b' end, g * 10 from generate_series(1, 30) g;
create table note (shelf int references shelf on delete cascade, line text);

prepare one(int) as select kind, n from shelf where id = $1;
execute one(3);
execute one(4);
execute one(99);
execute one(null);
execute one(3);
update shelf set n = -1 where id = 3;
execute one(3);
begin;
delete from shelf where id = 3;
execute one(3);
rollback;
execute one(3);

prepare many(int[], text) as select id from shelf where id = any($1) and kind = $2 order by id;
execute many('{1,2,3,6}', 'a');
execute many('{7,8,9,12}', 'a');
execute many('{7,8,9,12}', 'b');
execute many('{}', 'b');
execute many(null, 'b');
execute many('{9,null}', 'a');

prepare top(int, int) as select id, n from shelf where n > $1 order by n desc limit $2;
execute top(100, 2);
execute top(250, 3);
execute top(250, 0);
execute top(0, 1);

prepare sums(text) as select kind, count(*), sum(n) from shelf where kind >= $1 group by kind order by kind;
execute sums('a');
execute sums('b');
insert into shelf values (100, 'c', 5);
execute sums('b');
prepare total(int) as select count(*), max(n) from shelf where id > $1;
execute total(0);
execute total(1000);
execute total(29);

prepare joined(int) as
  select s.id, t.id from shelf s join shelf t on t.id = s.id + 1 where s.id between $1 and $1 + 2 order by 1;
execute joined(1);
execute joined(28);
execute joined(500);

prepare part(int) as select id from shelf where id < 4 union all select id from shelf where id = $1;
execute part(20);
execute part(21);

prepare sub(int) as select (select max(n) from shelf where id < $1), exists (select from shelf where id = $1);
execute sub(5);
execute sub(50);

prepare setn(int, int) as update shelf set n = $2 where id = $1 returning id, n;
execute setn(1, 7);
execute setn(2, 8);
execute setn(200, 9);
execute setn(1, null);
prepare add(int, text, int) as insert into shelf values ($1, $2, $3) returning *;
execute add(101, 'd', 1);
execute add(101, 'd', 2);
execute add(102, null, 3);
prepare put(int, int) as insert into shelf values ($1, 'p', $2)
  on conflict (id) do update set n = shelf.n + excluded.n returning id, n;
execute put(103, 1);
execute put(103, 10);
execute put(104, 5);
prepare attach(int, text) as insert into note values ($1, $2);
execute attach(1, 'first');
execute attach(2, 'second');
execute attach(777, 'nowhere');
execute attach(2, 'third');
prepare gone(int) as delete from shelf where id = $1 returning kind;
execute gone(2);
execute gone(2);
execute gone(1);
select * from note;

-- What the plan was made from changes under it.
prepare star as select * from shelf where id = 10;
execute star;
alter table shelf rename column n to amount;
execute star;
create index shelf_kind on shelf (kind);
execute many('{9,12}', 'a');
truncate shelf cascade;
execute many('{9,12}', 'a');
execute one(10);
insert into shelf values (10, 'z', 1);
execute one(10);

-- A failed execution leaves nothing behind for the next.
prepare div(int) as select id, 100 / $1 from shelf;
execute div(5);
execute div(0);
execute div(4);
begin;
execute one(10);
savepoint s;
execute div(0);
rollback to s;
execute div(2);
commit;
drop table note, shelf;
