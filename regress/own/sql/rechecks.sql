-- What READ COMMITTED does about joined rows that another session changes meanwhile. The other session has made its
-- change, and commits it while ours waits.
\setenv PGHOST :HOST
\setenv PGPORT :PORT
\setenv PGUSER :USER
\setenv PGDATABASE :DBNAME
create table account (id int primary key, owner text, balance int);
create table fee (id int primary key, account int, amount int);
create index on fee (account);
insert into account select g, 'o' || g, g * 100 from generate_series(1, 8) g;
insert into fee select g, g, g from generate_series(1, 8) g;
\! printf '%s\n' "begin; update account set balance = balance + 1000 where id = 1;" '\! touch /tmp/orrery_recheck_'$PGPORT 'select pg_sleep(0.3);' 'commit;' | psql -X -q > /dev/null 2>&1 & while [ ! -e /tmp/orrery_recheck_$PGPORT ]; do sleep 0.02; done; rm /tmp/orrery_recheck_$PGPORT
update account a set balance = a.balance - f.amount from fee f where f.account = a.id and a.id < 3 returning a.id, a.balance, f.amount;
\! printf '%s\n' "begin; update account set balance = 0 where id = 2;" '\! touch /tmp/orrery_recheck_'$PGPORT 'select pg_sleep(0.3);' 'commit;' | psql -X -q > /dev/null 2>&1 & while [ ! -e /tmp/orrery_recheck_$PGPORT ]; do sleep 0.02; done; rm /tmp/orrery_recheck_$PGPORT
update account a set balance = a.balance - f.amount from fee f where f.account = a.id and a.id < 4 and a.balance > 50 returning a.*;
\! printf '%s\n' "begin; update account set balance = -1 where id = 3;" '\! touch /tmp/orrery_recheck_'$PGPORT 'select pg_sleep(0.3);' 'commit;' | psql -X -q > /dev/null 2>&1 & while [ ! -e /tmp/orrery_recheck_$PGPORT ]; do sleep 0.02; done; rm /tmp/orrery_recheck_$PGPORT
delete from account a using fee f where f.account = a.id and a.balance between 0 and 400 returning a.id, a.balance;
\! printf '%s\n' "begin; delete from account where id = 5;" '\! touch /tmp/orrery_recheck_'$PGPORT 'select pg_sleep(0.3);' 'commit;' | psql -X -q > /dev/null 2>&1 & while [ ! -e /tmp/orrery_recheck_$PGPORT ]; do sleep 0.02; done; rm /tmp/orrery_recheck_$PGPORT
update account a set owner = a.owner || '!' from fee f where f.account = a.id and a.id in (5, 6) returning a.id, a.owner;
\! printf '%s\n' "begin; update account set balance = balance * 2 where id in (6, 7);" '\! touch /tmp/orrery_recheck_'$PGPORT 'select pg_sleep(0.3);' 'commit;' | psql -X -q > /dev/null 2>&1 & while [ ! -e /tmp/orrery_recheck_$PGPORT ]; do sleep 0.02; done; rm /tmp/orrery_recheck_$PGPORT
select a.id, a.balance, f.amount from account a join fee f on f.account = a.id where a.balance > 700 order by a.id for update;
\! printf '%s\n' "begin; update account set balance = 5, owner = 'new' where id = 8;" '\! touch /tmp/orrery_recheck_'$PGPORT 'select pg_sleep(0.3);' 'commit;' | psql -X -q > /dev/null 2>&1 & while [ ! -e /tmp/orrery_recheck_$PGPORT ]; do sleep 0.02; done; rm /tmp/orrery_recheck_$PGPORT
select a.id, a.owner, a.balance, f.amount from account a left join fee f on f.account = a.id where a.balance > 4 order by a.id for update of a;
\! printf '%s\n' "begin; update fee set amount = 77 where id = 7;" '\! touch /tmp/orrery_recheck_'$PGPORT 'select pg_sleep(0.3);' 'commit;' | psql -X -q > /dev/null 2>&1 & while [ ! -e /tmp/orrery_recheck_$PGPORT ]; do sleep 0.02; done; rm /tmp/orrery_recheck_$PGPORT
select a.id, f.amount, (select max(x.amount) from fee x where x.id = f.id) as at_start from account a, fee f where f.account = a.id and f.amount > 5 order by a.id for share of f;
\! printf '%s\n' "begin; update account set id = 70 where id = 7;" '\! touch /tmp/orrery_recheck_'$PGPORT 'select pg_sleep(0.3);' 'commit;' | psql -X -q > /dev/null 2>&1 & while [ ! -e /tmp/orrery_recheck_$PGPORT ]; do sleep 0.02; done; rm /tmp/orrery_recheck_$PGPORT
update account a set balance = 1 from fee f where f.account = a.id and f.account = 7 returning *;
\! printf '%s\n' "begin; update account set balance = 3 where id = 8;" '\! touch /tmp/orrery_recheck_'$PGPORT 'select pg_sleep(0.3);' 'commit;' | psql -X -q > /dev/null 2>&1 & while [ ! -e /tmp/orrery_recheck_$PGPORT ]; do sleep 0.02; done; rm /tmp/orrery_recheck_$PGPORT
update account a set balance = balance + (select sum(amount) from fee where account = a.id) where id = 8 and exists (select from fee where account = a.id) returning *;
\! printf '%s\n' "begin; update account set balance = 9 where id = 8;" '\! touch /tmp/orrery_recheck_'$PGPORT 'select pg_sleep(0.3);' 'commit;' | psql -X -q > /dev/null 2>&1 & while [ ! -e /tmp/orrery_recheck_$PGPORT ]; do sleep 0.02; done; rm /tmp/orrery_recheck_$PGPORT
begin isolation level repeatable read;
select count(*) from account;
update account a set balance = 1 from fee f where f.account = a.id and a.id = 8;
rollback;
select * from account order by id;
select * from fee order by id;
-- A LIMIT locks the rows that it passes, and no others.
create table job (id int primary key, done bool);
insert into job select g, false from generate_series(1, 2000) g;
begin;
select id from job order by id for update skip locked limit 1;
\! psql -X -At -c 'select id from job order by id for update skip locked limit 1'
select id from job for update skip locked limit 2;
\! psql -X -At -c "set lock_timeout = '2s'" -c 'update job set done = true where id = 900' -c 'select id from job for update skip locked offset 1 limit 2'
declare job_c cursor for select id from job where id > 100 for update;
fetch 2 from job_c;
\! psql -X -At -c 'select id from job where id > 100 order by id for update skip locked limit 1'
rollback;
