-- Roles: who may become whom, who may give what, and what stays when a role changes.
create role own_admin superuser;
create role own_maker createrole;
create role own_plain;
create role own_other;
create schema own_space;
create table own_space.t (a int);
grant usage on schema own_space to own_plain;

-- a role that may make roles may not touch superusers
set session authorization own_maker;
grant own_admin to own_plain;
revoke own_admin from own_plain;
drop role own_admin;
create role own_super superuser;
reset session authorization;
drop role postgres;

-- rights are asked for by whatever reads
set role own_plain;
select * from own_space.t;
explain (costs off) select * from own_space.t;
copy (select * from own_space.t) to stdout;
prepare p as select * from own_space.t;
execute p;
deallocate p;
show is_superuser;
reset role;
show is_superuser;
set role own_plain;
set role none;
show is_superuser;
select current_user = session_user as same;

-- SET ROLE asks what the session's user may become, not who logged in
set session authorization own_plain;
set role own_other;
show is_superuser;
set role own_plain;
reset role;
reset session authorization;
show is_superuser;

-- session_user within one statement
select set_config('session_authorization', 'own_plain', false), session_user <> '' as named;
reset session authorization;

-- DISCARD ALL and RESET ALL
set own.word = 'kept';
set work_mem = '1MB';
set role own_plain;
reset all;
show own.word;
select current_user;
reset role;
set own.word = 'kept';
set session authorization own_plain;
discard all;
select current_user = session_user as same, current_user <> 'own_plain' as back;
show own.word;

-- owners: a table takes its sequences along; a schema goes only to a role one is a member of
create table own_space.s (a serial, b int generated always as identity);
alter table own_space.s owner to own_plain;
select relname, pg_get_userbyid(relowner) from pg_class
  where relnamespace = 'own_space'::regnamespace and relname like 's%' order by 1;
grant select on own_space.s to own_plain, own_other;
alter table own_space.s owner to own_maker;
grant insert on own_space.s to own_other;
alter table own_space.s owner to own_plain;
select relacl from pg_class where oid = 'own_space.s'::regclass;
alter schema own_space owner to own_maker;
select nspacl from pg_namespace where nspname = 'own_space';
set session authorization own_maker;
alter schema own_space owner to own_other;
reset session authorization;
drop schema own_space cascade;
drop role own_admin, own_maker, own_plain, own_other;
