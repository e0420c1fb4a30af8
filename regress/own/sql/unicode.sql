-- Normal forms of Unicode.
select normalize(U&'\0061\0308bc') = U&'\00E4bc', normalize(U&'\00E4bc', nfd) = U&'\0061\0308bc', length(normalize(U&'\00E4bc', nfd));
select normalize(U&'\FB01 \00B2', nfkc), normalize(U&'\FB01', nfc) = U&'\FB01', normalize(U&'\1E9B\0323', nfkd) = U&'s\0323\0307';
select normalize('abc', 'def');
select normalize('', nfc), normalize(null), normalize('plain', nfkd);
select "normalize"('abc', 'Nfkd'), "normalize"('abc', 'def');
select U&'\00E4\24D1c' is normalized, U&'\00E4\24D1c' is nfd normalized, U&'\00E4\24D1c' is nfkc normalized, U&'\0061\0308\24D1c' is not normalized;
select is_normalized('abc', 'def');
select num, val, val is normalized as nfc, val is nfd normalized as nfd, val is nfkc normalized as nfkc, val is nfkd normalized as nfkd
  from (values (1, U&'\00E4bc'), (2, U&'\0061\0308bc'), (3, U&'\00E4\24D1c'), (4, U&'\0061\0308\24D1c'), (5, ''), (6, null)) t (num, val) order by num;
select normalize(U&'\AC00', nfd) = U&'\1100\1161', normalize(U&'\1100\1161') = U&'\AC00';
select length(normalize(repeat(U&'\00E4', 200000), nfd)), repeat(U&'\00E4', 200000) is normalized;
create view normal_view as select 'a' is normalized as a, 'b' is not nfkd normalized as b, normalize('c', nfd) as c;
select * from normal_view;
drop view normal_view;
