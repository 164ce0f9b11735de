-- One log of records that all replicas share, in one order. Its only writer is
-- ambit.append: a replica needs no right to change a table.

-- The end of the log: one row, locked by whoever appends.
CREATE TABLE ambit.log (
    one      boolean PRIMARY KEY DEFAULT true CHECK (one),
    journal  uuid    NOT NULL,
    seq      bigint  NOT NULL DEFAULT 0,  -- of the last record
    hash     bytea   NOT NULL DEFAULT '', -- SHA-256 of its line, as in rationale.Envelope; empty: there is none
    snapshot bigint  NOT NULL DEFAULT 0   -- seq of the last snapshot; 0: there is none
) WITH (fillfactor = 10);
INSERT INTO ambit.log (journal) VALUES (gen_random_uuid());

CREATE TABLE ambit.records (
    seq  bigint      PRIMARY KEY,
    at   timestamptz NOT NULL, -- this server's clock when it was appended
    kind text        NOT NULL,
    id   text        NOT NULL UNIQUE,
    prev bytea       NOT NULL, -- ambit.log.hash of the record before
    body bytea       NOT NULL  -- the record's canonical encoding, byte for byte
) WITH (toast_tuple_target = 8160); -- most records are read and written as they are
CREATE INDEX records_at ON ambit.records USING brin (at);

-- How far whoever delivers records has come, and what was refused for good.
CREATE TABLE ambit.cursors (
    name  text  PRIMARY KEY CHECK (name ~ '^[a-z0-9-]{1,32}$'),
    place jsonb NOT NULL
);
CREATE TABLE ambit.rejected (
    name text   NOT NULL REFERENCES ambit.cursors ON DELETE CASCADE,
    n    bigint GENERATED ALWAYS AS IDENTITY,
    line bytea  NOT NULL,
    PRIMARY KEY (name, n)
);

-- The end of the log (the row without a body) and the records behind a position, a
-- page of them at most, as they were at one moment. A standby, which may be behind, says nothing.
CREATE FUNCTION ambit.tail(behind bigint)
RETURNS TABLE (clock timestamptz, seq bigint, hash bytea, body bytea)
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT clock_timestamp(), l.seq, l.hash, NULL::bytea FROM ambit.log l WHERE NOT pg_is_in_recovery()
    UNION ALL
    (SELECT NULL, r.seq, NULL, r.body FROM ambit.records r WHERE r.seq > behind ORDER BY r.seq LIMIT 256)
$$;

-- Locks the end of the log until the transaction ends. Whoever waits for it is served
-- in turn, and no replica that stands still holds up the others.
CREATE FUNCTION ambit.hold(behind bigint)
RETURNS TABLE (clock timestamptz, seq bigint, hash bytea, body bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s' AS $$
BEGIN
    PERFORM set_config('idle_in_transaction_session_timeout', '3s', true);
    PERFORM 1 FROM ambit.log FOR UPDATE;
    RETURN QUERY SELECT * FROM ambit.tail(behind);
END $$;

-- Appends records behind the one that the caller knows as the last, if it is, and if
-- the time that they were decided at is this server's, up to a second ago. It returns
-- the end of the log then. Otherwise it appends nothing, and returns what
-- ambit.tail does. The caller tells by the hash.
CREATE FUNCTION ambit.append(behind bigint, behind_hash bytea, decided timestamptz, kinds text[], ids text[], bodies bytea[])
RETURNS TABLE (clock timestamptz, seq bigint, hash bytea, body bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s' AS $$
DECLARE
    head ambit.log;
BEGIN
    IF current_setting('synchronous_commit') NOT IN ('on', 'remote_apply') OR current_setting('fsync') <> 'on' THEN
        RAISE EXCEPTION 'ambit: a commit would not be durable: synchronous_commit is %, fsync is %',
            current_setting('synchronous_commit'), current_setting('fsync')
            USING HINT = 'set both to on for this database', ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'ambit: the transaction isolation is %', current_setting('transaction_isolation')
            USING HINT = 'set default_transaction_isolation to ''read committed''', ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    SELECT * INTO STRICT head FROM ambit.log FOR UPDATE;
    clock := clock_timestamp();
    IF head.seq <> behind OR head.hash <> behind_hash OR decided > clock OR decided < clock - interval '1 second' THEN
        RETURN QUERY SELECT * FROM ambit.tail(behind);
        RETURN;
    END IF;
    FOR i IN 1 .. cardinality(bodies) LOOP
        head.seq := head.seq + 1;
        INSERT INTO ambit.records VALUES (head.seq, clock, kinds[i], ids[i], head.hash, bodies[i]);
        -- The line of rationale.Envelope: nobody who may append can write another chain.
        head.hash := sha256(convert_to('{"body":', 'UTF8') || bodies[i] || convert_to(
            ',"journal":"' || head.journal || '","prev":"' || CASE WHEN head.hash = '' THEN '' ELSE 'sha256:' || encode(head.hash, 'hex') END
            || '","seq":' || head.seq || '}', 'UTF8'));
        IF kinds[i] = 'snapshot' THEN
            head.snapshot := head.seq;
        END IF;
    END LOOP;
    UPDATE ambit.log SET seq = head.seq, hash = head.hash, snapshot = head.snapshot;
    PERFORM pg_notify('ambit', head.seq::text);
    seq := head.seq;
    hash := head.hash;
    RETURN NEXT;
END $$;

-- The first record that must stay, of those before a position: what a cursor has not come to, and what a
-- replica needs to start.
CREATE FUNCTION ambit.retirable(before bigint) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT least(before, l.snapshot,
        (SELECT min((place->'head'->>'seq')::bigint) FROM ambit.cursors),
        (SELECT min((place->'from'->>'seq')::bigint) FROM ambit.cursors WHERE place->'from'->>'seq' <> '0'))
    FROM ambit.log l
$$;

-- Deletes the records before a position that need not stay.
CREATE FUNCTION ambit.retire(before bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    deleted bigint;
BEGIN
    PERFORM 1 FROM ambit.log FOR UPDATE;
    DELETE FROM ambit.records r WHERE r.seq < ambit.retirable(before);
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN deleted;
END $$;

REVOKE ALL ON FUNCTION ambit.tail(bigint), ambit.hold(bigint), ambit.append(bigint, bytea, timestamptz, text[], text[], bytea[]), ambit.retirable(bigint), ambit.retire(bigint) FROM PUBLIC;
