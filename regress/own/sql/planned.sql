-- What the planner makes of parameters, constants, windows and sets; views over views.
CREATE TABLE pl_m (a int, c int, w int);
INSERT INTO pl_m SELECT i % 100, i % 7, i FROM generate_series(1, 5000) i;
ANALYZE pl_m;
CREATE TABLE pl_t (a int, b text);
INSERT INTO pl_t VALUES (1, 'x'), (2, 'yy'), (3, 'zzz');

-- a condition from outside, pushed through a set operation into what keeps its rows
SELECT i, (SELECT count(*) FROM (SELECT m2.w FROM pl_m m1 JOIN pl_m m2 ON m1.a = m2.w UNION ALL SELECT 0) q WHERE q.w = i)
  FROM generate_series(0, 4) i;
SELECT i, (SELECT count(*) FROM (SELECT 0 AS w UNION ALL (SELECT m2.w FROM pl_m m1 JOIN pl_m m2 ON m1.a = m2.w UNION ALL SELECT 1)) q
  WHERE q.w = i) FROM generate_series(0, 3) i;

-- a number is no position in a window
SELECT a, count(*) OVER (PARTITION BY 1) FROM (VALUES (1), (2), (3)) v(a);
SELECT a, rank() OVER (ORDER BY 1) FROM (VALUES (1), (2), (3)) v(a);
SELECT a, sum(a) OVER (ORDER BY 3) FROM (VALUES (1), (2), (3)) v(a);
SELECT a FROM (VALUES (1), (2), (3)) v(a) WINDOW w AS (PARTITION BY 7 ORDER BY 1.5) ORDER BY a;

-- limits of set operations
SELECT 1 AS n UNION SELECT 2 ORDER BY 1 LIMIT (SELECT 1);
SELECT a, (SELECT max(n) FROM (SELECT 1 AS n UNION SELECT 2 UNION SELECT 5 ORDER BY n LIMIT length(pl_t.b)) q) FROM pl_t ORDER BY a;
SELECT a, (SELECT max(n) FROM (SELECT 1 AS n UNION ALL SELECT 2 LIMIT 1 + 1 OFFSET a - 1) q) FROM pl_t ORDER BY a;

-- constants among grouping sets
SELECT 1 AS x, count(*) FROM pl_t GROUP BY ROLLUP (1);
SELECT 'k' AS x, a, 'k' AS y, count(*) FROM pl_t GROUP BY GROUPING SETS ((1), (2)) ORDER BY 2;
SELECT 1 AS x, count(*), row_number() OVER (ORDER BY count(*)) FROM pl_t GROUP BY ROLLUP (1) ORDER BY 1;

SELECT a + 1 AS x, count(*), row_number() OVER (ORDER BY a + 1) FROM pl_t GROUP BY ROLLUP (1) ORDER BY 1;

-- the least numbers
SELECT pg_typeof(-2147483648), pg_typeof(-2147483649), pg_typeof(-9223372036854775808), pg_typeof(-9223372036854775809);
SELECT lag(a, 1, -2147483648) OVER (ORDER BY a) FROM pl_t;
SELECT -2147483648::int4;
SELECT - -2147483648;

-- volatile expressions that look alike
SELECT sum(random()) = sum(random()) FROM generate_series(1, 100);
SELECT sum(random()) FILTER (WHERE i < 50) = sum(random()) FROM generate_series(1, 100) i HAVING sum(random()) <> sum(random());
SELECT count(*) > 1 FROM (SELECT DISTINCT a = b FROM (SELECT DISTINCT random() AS a, random() AS b FROM generate_series(1, 9)) q
  UNION ALL SELECT true) q;
SELECT bool_and(b >= before) FROM (SELECT b, lag(b, 1, b) OVER () AS before, a, lag(a) OVER () AS was FROM
  (SELECT (random() * 3)::int AS a, (random() * 3)::int AS b FROM generate_series(1, 200) ORDER BY 1, 2) q) q WHERE a = was;

-- a full join under a constant
SELECT x, y FROM (VALUES (1), (2)) a(x) FULL JOIN (VALUES (3), (4)) b(y) ON true ORDER BY 1, 2;
SELECT x, y FROM (VALUES (1), (2)) a(x) FULL JOIN (VALUES (3), (4)) b(y) ON false ORDER BY 1, 2;
SELECT x, y FROM (VALUES (1), (2)) a(x) FULL JOIN (SELECT 1 WHERE false) b(y) ON true ORDER BY 1, 2;
SELECT x, y FROM (VALUES (1), (2)) a(x) FULL JOIN (VALUES (3), (4)) b(y) ON x < y;

-- nodes that are not needed
EXPLAIN (COSTS OFF) SELECT a, rank() OVER (ORDER BY a) FROM pl_t ORDER BY 2;
EXPLAIN (COSTS OFF) SELECT a, rank() OVER (ORDER BY a) + 1, sum(a) OVER (PARTITION BY b) FROM pl_t ORDER BY 2, 3;
EXPLAIN (COSTS OFF) SELECT * FROM (SELECT a, count(*) FROM pl_t GROUP BY a) q;
SELECT a, rank() OVER (ORDER BY a) + 1, sum(a) OVER (PARTITION BY b), b FROM pl_t ORDER BY 2 DESC, 3;
SELECT DISTINCT rank() OVER (ORDER BY 1) AS r, b || 'x' FROM pl_t ORDER BY 2;

-- a view over a view means what that one means now
CREATE VIEW pl_v1 AS SELECT a FROM pl_t;
CREATE VIEW pl_v2 AS SELECT * FROM pl_v1;
CREATE VIEW pl_v3 AS SELECT q.z, pl_v1.a FROM pl_v1 q(z), pl_v1 WHERE q.z = pl_v1.a;
CREATE OR REPLACE VIEW pl_v1 AS SELECT a + 10 AS a FROM pl_t;
SELECT * FROM pl_v2 ORDER BY 1;
SELECT * FROM pl_v3 ORDER BY 1;
SELECT pg_get_viewdef('pl_v2'::regclass), pg_get_viewdef('pl_v3'::regclass);
CREATE OR REPLACE VIEW pl_v1 AS SELECT a FROM pl_v2;
SELECT * FROM pl_v1;
CREATE OR REPLACE VIEW pl_v1 AS SELECT a FROM pl_t;
SELECT * FROM pl_v2 ORDER BY 1;

-- each view's owner answers for what it is made of
CREATE ROLE pl_one;
CREATE ROLE pl_two;
CREATE TABLE pl_sec (id int, pay int);
INSERT INTO pl_sec VALUES (1, 100);
GRANT CREATE ON SCHEMA public TO pl_one, pl_two;
SET ROLE pl_one;
CREATE VIEW pl_va AS SELECT * FROM pl_sec;
RESET ROLE;
GRANT SELECT ON pl_va TO pl_two;
SET ROLE pl_two;
CREATE VIEW pl_vb AS SELECT * FROM pl_va;
SELECT * FROM pl_vb;
RESET ROLE;
SELECT * FROM pl_vb;
GRANT SELECT ON pl_sec TO pl_one;
SET ROLE pl_two;
SELECT * FROM pl_vb;
SELECT * FROM pl_sec;
RESET ROLE;

-- reading what one writes asks for the right to read
GRANT UPDATE, INSERT, DELETE ON pl_sec TO pl_two;
ALTER TABLE pl_sec ADD PRIMARY KEY (id);
SET ROLE pl_two;
UPDATE pl_sec SET id = pay;
UPDATE pl_sec SET id = 1;
UPDATE pl_sec SET pay = 2 WHERE true;
UPDATE pl_sec SET pay = (SELECT pl_sec.id);
UPDATE pl_sec SET pay = 1 WHERE id = 1;
UPDATE pl_sec SET pay = 1 RETURNING pay;
UPDATE pl_sec SET pay = 1 RETURNING 'done' AS done;
INSERT INTO pl_sec VALUES (1, 2) ON CONFLICT DO NOTHING;
INSERT INTO pl_sec VALUES (1, 2) ON CONFLICT (id) DO NOTHING;
INSERT INTO pl_sec VALUES (1, 2) ON CONFLICT ON CONSTRAINT pl_sec_pkey DO NOTHING;
INSERT INTO pl_sec VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET pay = 3;
INSERT INTO pl_sec VALUES (2, 2) RETURNING ctid;
DELETE FROM pl_sec WHERE pay = 1;
DELETE FROM pl_sec USING pl_va v WHERE v.id = 77;
DELETE FROM pl_sec;
RESET ROLE;

DROP VIEW pl_vb, pl_va, pl_v3, pl_v2, pl_v1;
DROP TABLE pl_m, pl_t, pl_sec;
REVOKE ALL ON SCHEMA public FROM pl_one, pl_two;
DROP ROLE pl_one, pl_two;
