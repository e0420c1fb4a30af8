-- What stands below, within and above outer joins; LATERAL across them; what a bitmap leaves to check.
CREATE TABLE oj_a (id int, x int, y int);
CREATE TABLE oj_b (id int, x int, y int);
CREATE TABLE oj_m (a int, c int, w int);
INSERT INTO oj_a VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3);
INSERT INTO oj_b VALUES (1, 1, 1), (2, NULL, 3);
INSERT INTO oj_m SELECT i % 100, i % 7, i FROM generate_series(1, 5000) i;
CREATE INDEX ON oj_m (a);
ANALYZE oj_m;

-- an item joined in several ways, each asking another column of it
CREATE TABLE oj_t1 (a int, b int, c int);
CREATE TABLE oj_t2 (a int, b int, c int);
INSERT INTO oj_t1 SELECT i, i % 3, i % 4 FROM generate_series(1, 8) i;
INSERT INTO oj_t2 SELECT i % 3, i, i % 4 FROM generate_series(1, 8) i;
SET enable_seqscan = off;
SET enable_hashjoin = off;
SET enable_sort = off;
SELECT count(*) FROM (SELECT a FROM oj_t2 GROUP BY a) q6, oj_t1 q9, oj_t2 q10
  WHERE coalesce(q10.a, q10.c) = coalesce(q9.b, q9.c) AND q6.a <> q10.c;
RESET enable_seqscan;
RESET enable_hashjoin;
RESET enable_sort;

-- LATERAL items below an outer join that refer past it
SELECT q1.id, q2.id, q6.u FROM oj_a q1, (oj_b q2 LEFT JOIN LATERAL (SELECT q1.x AS u UNION ALL SELECT q2.y) q6 ON q2.x = q6.u)
  ORDER BY 1, 2, 3;
SELECT oj_a.id, q.u FROM oj_a, (oj_b LEFT JOIN LATERAL (SELECT oj_a.x + oj_b.x AS u OFFSET 0) q ON true) ORDER BY 1, 2;
SELECT i, s.y, m.w FROM generate_series(1, 2) i, LATERAL (SELECT i + 1 AS y OFFSET 0) s LEFT JOIN oj_m m ON m.w = s.y
  ORDER BY 1, 2;
SELECT i, s.y, m.w FROM generate_series(1, 2) i, generate_series(i, i + 1) s(y) LEFT JOIN oj_m m ON m.w = s.y ORDER BY 1, 2;
SELECT q1.id, q5.y, q8.id FROM oj_a q1, ((LATERAL (SELECT x, q1.x + 1 AS y FROM oj_b WHERE oj_b.x = q1.id) q5
  LEFT JOIN oj_a q6 ON q5.y = q6.x) LEFT JOIN (LATERAL (SELECT q1.id AS x OFFSET 0) q7 RIGHT JOIN oj_a q8 ON q7.x = q8.x) ON true)
  ORDER BY 1, 2, 3;
EXPLAIN (COSTS OFF) SELECT * FROM oj_a LEFT JOIN LATERAL (SELECT w FROM oj_m WHERE oj_m.w = oj_a.x) m ON true;
SELECT oj_a.id, m.w FROM oj_a LEFT JOIN LATERAL (SELECT w FROM oj_m WHERE oj_m.w = oj_a.x) m ON true ORDER BY 1;

-- the arms of an OR ask more than the index answers
SELECT count(*) FROM oj_m WHERE (a = 1 AND c = 5) OR (a = 2 AND c = 6);
SELECT count(*) FROM oj_m WHERE a = 1 OR (a = 2 AND c = 6);
EXPLAIN (COSTS OFF) SELECT count(*) FROM oj_m WHERE (a = 1 AND c = 5) OR (a = 2 AND c = 6);
EXPLAIN (COSTS OFF) SELECT count(*) FROM oj_m WHERE a = 1 OR a = 2;

-- an expression that is a join's key, and asked for above the join
SELECT a.id, coalesce(b.x, 0) FROM oj_a a LEFT JOIN oj_b b ON a.x = coalesce(b.x, 0) ORDER BY 1;
SELECT a.id, coalesce(b.x, 0) FROM oj_a a LEFT JOIN oj_b b ON a.x = coalesce(b.x, 0) WHERE coalesce(b.x, 0) = 0 ORDER BY 1;
SELECT a.id, coalesce(b.x, 0), coalesce(a.x, 7) FROM oj_a a FULL JOIN oj_b b ON coalesce(a.x, 7) = coalesce(b.x, 0)
  ORDER BY 1, 2;
SET enable_hashjoin = off;
SELECT a.id, coalesce(b.x, 0) FROM oj_a a LEFT JOIN oj_b b ON a.x = coalesce(b.x, 0) ORDER BY 1;
SELECT coalesce(b.x, 0) AS z, count(*) FROM oj_a a LEFT JOIN oj_b b ON a.x = coalesce(b.x, 0) GROUP BY coalesce(b.x, 0) ORDER BY 1;
SELECT a.id, coalesce(b.x, 0), coalesce(a.x, 7) FROM oj_a a FULL JOIN oj_b b ON coalesce(a.x, 7) = coalesce(b.x, 0)
  ORDER BY 1, 2;
RESET enable_hashjoin;

DROP TABLE oj_a, oj_b, oj_m, oj_t1, oj_t2;
