-- One reserve by pgbench, which fills in :sku_count and :location_count.
-- The second SKU is always another one, so that no reserve locks a row twice.
\set a_sku random(0, :sku_count - 1)
\set b_sku (:a_sku + random(1, :sku_count - 1)) % :sku_count
\set a_at random(0, :location_count - 1)
\set b_at random(0, :location_count - 1)
SELECT reserve(:a_sku, :a_at, 1, :b_sku, :b_at, 2);
