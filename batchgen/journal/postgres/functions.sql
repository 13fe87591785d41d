-- What is done within the server, so that one round trip does all of it. BG001 the lease is another's,
-- BG002 another one has written the record, BG003 a submission is another job's, BG004 a cap would not hold,
-- BG005 there is no room at the service.

-- As SQLite has them, for the few statements that look into what is kept as JSON. Text, not jsonb: what was
-- sent may hold \u0000, which jsonb refuses; that alone is shown as another character here. What a body holds
-- is not touched by that: it stands there as text within text.
CREATE FUNCTION json_at(fields text, path text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT COST 1000 AS $$
DECLARE name text := substr(path, 3);
BEGIN
  RETURN fields::jsonb -> name;
EXCEPTION WHEN untranslatable_character OR invalid_text_representation THEN
  RETURN regexp_replace(fields, '(?<!\\)((?:\\\\)*)\\u0000', '\1\\ufffd', 'g')::jsonb -> name;
END $$;

CREATE FUNCTION json_extract(fields text, path text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT COST 1000 AS $$ SELECT json_at(fields, path) #>> '{}' $$;

CREATE FUNCTION json_array_length(fields text, path text) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT COST 1000 AS $$
  SELECT CASE WHEN jsonb_typeof(json_at(fields, path)) = 'array' THEN jsonb_array_length(json_at(fields, path)) END
$$;

-- Refuses whoever does not lead the batch any more. The row is locked against a takeover until the
-- transaction has ended: so what is written here is there before a new leader reads. KEY SHARE is all that
-- takes: a takeover locks the row FOR UPDATE, and a renewal changes no key, so that neither waits for the other.
CREATE FUNCTION fence(of_batch text, by_epoch bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE found bigint;
BEGIN
  SELECT epoch INTO found FROM leases WHERE batch = of_batch FOR KEY SHARE;
  IF found IS DISTINCT FROM by_epoch THEN
    RAISE EXCEPTION 'another run leads this batch' USING ERRCODE = 'BG001';
  END IF;
END $$;

-- Takes the lease of a batch, where nobody has it or its time is over. Without a row: somebody has it.
-- An epoch is never given twice, not even by a database that was set back: it is at least the server's clock.
CREATE FUNCTION take_lease(of_batch text, by_holder text, seconds double precision, known_dead text)
RETURNS TABLE (epoch bigint, silent_until double precision, was text, was_until double precision)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  -- shorter than whoever asks waits for an answer: a lease must not be had by one who has gone away
  limits text := set_config('lock_timeout', '500ms', true);
  moment timestamptz := clock_timestamp();
  lasts timestamptz := clock_timestamp() + make_interval(secs => seconds);
  there leases%ROWTYPE;
  next_epoch bigint := floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint;
  silent timestamptz;
  silent_ones bigint[];
BEGIN
  INSERT INTO leases (batch, epoch, holder, since, until) VALUES (of_batch, next_epoch, by_holder, moment, lasts)
  ON CONFLICT (batch) DO NOTHING;
  IF FOUND THEN
    RETURN QUERY SELECT next_epoch, NULL::double precision, NULL::text, NULL::double precision;
    RETURN;
  END IF;
  SELECT * INTO there FROM leases WHERE batch = of_batch FOR UPDATE;
  moment := clock_timestamp();  -- after the wait for the row
  IF there.holder = by_holder AND NOT there.ended THEN  -- the answer to the first asking was lost
    RETURN QUERY SELECT there.epoch, extract(epoch FROM there.silent_until)::double precision, NULL::text, NULL::double precision;
    RETURN;
  END IF;
  IF NOT there.ended AND there.until > moment AND there.holder IS DISTINCT FROM known_dead THEN
    IF there.waiting_until IS NULL OR there.waiting_until < moment + interval '2 s' THEN
      UPDATE leases SET waiting_until = moment + interval '5 s' WHERE batch = of_batch;
    END IF;
    RETURN QUERY SELECT NULL::bigint, NULL::double precision, there.holder, extract(epoch FROM there.since)::double precision;
    RETURN;
  END IF;
  silent := there.silent_until;
  silent_ones := there.silent_epochs;
  IF NOT there.ended AND there.holder IS DISTINCT FROM known_dead THEN
    silent := greatest(silent, there.until);
    silent_ones := silent_ones || there.epoch;
  END IF;
  next_epoch := greatest(there.epoch + 1, floor(extract(epoch FROM moment) * 1000)::bigint);
  UPDATE leases SET epoch = next_epoch, holder = by_holder, since = moment, until = moment + make_interval(secs => seconds),
    ended = false, waiting_until = NULL, silent_until = silent, silent_epochs = silent_ones
  WHERE batch = of_batch;
  RETURN QUERY SELECT next_epoch, extract(epoch FROM silent)::double precision, there.holder,
    extract(epoch FROM there.until)::double precision;
END $$;

-- Gives a lease up, or says of one that was taken over that its holder buys nothing any more.
CREATE FUNCTION end_lease(of_batch text, by_epoch bigint) RETURNS void LANGUAGE sql AS $$
  UPDATE leases SET ended = true, until = least(until, clock_timestamp()) WHERE batch = of_batch AND epoch = by_epoch;
  UPDATE leases SET silent_epochs = array_remove(silent_epochs, by_epoch),
    silent_until = CASE WHEN array_remove(silent_epochs, by_epoch) = '{}' THEN NULL ELSE silent_until END
  WHERE batch = of_batch AND by_epoch = ANY (silent_epochs);
$$;

-- What other batches of an account have at the service; as RoomRows.elsewhere in journal/room.py counts it. In
-- steps, for each keeps its plan: planned anew with every intent they would take longer than the intent.
CREATE FUNCTION jobs_elsewhere(of_origin text, of_project text, of_batch text, now_at double precision)
RETURNS TABLE (batch text, model text, jobs bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  us text[];
  busy bigint := 0;
  whose record;
  young double precision;
BEGIN
  LOOP  -- from scope to scope over the index
    SELECT min(scope) INTO busy FROM records WHERE state IN ('submitting', 'in_doubt', 'running') AND scope > busy;
    EXIT WHEN busy IS NULL;
    SELECT s.batch, s.project, s.owner INTO whose FROM scopes s
    WHERE s.id = busy AND s.origin = of_origin AND s.batch <> of_batch;
    CONTINUE WHEN NOT FOUND;
    IF whose.project <> of_project THEN  -- two names of one account, perhaps
      IF us IS NULL THEN
        us := array_remove(ARRAY(
          SELECT of_project UNION SELECT owner FROM scopes WHERE origin = of_origin AND project = of_project
        ), '');
      END IF;
      CONTINUE WHEN NOT (whose.project = ANY (us) OR whose.owner = ANY (us));
    END IF;
    young := now_at - 1800;
    IF EXISTS (SELECT 1 FROM runs r WHERE r.batch = whose.batch AND r.origin = of_origin AND r.seen_at > now_at - 8) THEN
      young := 0;
    END IF;
    RETURN QUERY SELECT whose.batch, model, count(*) FROM records
    WHERE scope = busy AND state IN ('submitting', 'in_doubt', 'running') AND intent_at > young GROUP BY model;
  END LOOP;
END $$;

-- Whether one more job of this batch may be bought; as Limit.has_room in planning/room.py has it. The rows of the
-- account are locked before: what is counted here stays so until the transaction has ended.
CREATE FUNCTION has_room(of_origin text, of_project text, of_batch text, now_at double precision, room jsonb)
RETURNS boolean LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  one jsonb;
  most bigint;
  mine bigint;
  theirs bigint;
  among bigint;
  before bigint;
  ours double precision;
  taken jsonb[];
  wanted jsonb[];
BEGIN
  IF (SELECT coalesce(max(refused_at), 0) FROM ceilings WHERE origin = of_origin AND project = of_project)
    IS DISTINCT FROM (room ->> 'learned_at')::double precision THEN RETURN false; END IF;
  IF jsonb_array_length(room -> 'limits') = 0 THEN RETURN true; END IF;
  SELECT array_agg(to_jsonb(t)) INTO taken FROM jobs_elsewhere(of_origin, of_project, of_batch, now_at) t;
  SELECT array_agg(to_jsonb(w)) FILTER (WHERE batch <> of_batch), min(since) FILTER (WHERE batch = of_batch)
  INTO wanted, ours FROM waiting w
  WHERE origin = of_origin AND seen_at > now_at - 8 AND (project = of_project OR project IN (
    SELECT owner FROM scopes WHERE origin = of_origin AND project = of_project AND owner <> ''
  ));
  FOR one IN SELECT jsonb_array_elements(room -> 'limits') LOOP
    most := (one ->> 'most')::bigint;
    mine := (one ->> 'mine')::bigint;
    SELECT coalesce(sum((t ->> 'jobs')::bigint), 0) INTO theirs
    FROM unnest(taken) t WHERE counts(one, t ->> 'model');
    IF mine + theirs >= most THEN RETURN false; END IF;
    CONTINUE WHEN wanted IS NULL;
    SELECT 1 + count(*) INTO among FROM unnest(wanted) w WHERE counts(one, w ->> 'model');
    CONTINUE WHEN among = 1;
    IF mine >= (most + among - 1) / among THEN RETURN false; END IF;
    SELECT count(*) INTO before FROM unnest(wanted) w
    WHERE counts(one, w ->> 'model')
    AND (mine >= greatest(1, most / among) OR ours IS NULL OR (w ->> 'since')::double precision < ours) AND (
      SELECT coalesce(sum((t ->> 'jobs')::bigint), 0) FROM unnest(taken) t
      WHERE t ->> 'batch' = w ->> 'batch' AND counts(one, t ->> 'model')
    ) < greatest(1, most / among);
    IF most - mine - theirs <= before THEN RETURN false; END IF;
  END LOOP;
  IF ours IS NOT NULL THEN  -- whoever waits has its turn before us now
    UPDATE waiting SET since = now_at WHERE origin = of_origin AND project = of_project AND batch = of_batch;
  END IF;
  RETURN true;
END $$;

-- Whether jobs of a model count against a limit.
CREATE FUNCTION counts(of_limit jsonb, of_model text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT ((of_limit -> 'models') @> to_jsonb(of_model)) <> (of_limit ->> 'but')::boolean
$$;

-- One append: all of it or nothing, in one statement. Sent a second time with the same token it changes nothing
-- and gives the same answer.
CREATE FUNCTION append(
  of_batch text, by_epoch bigint, durable boolean,
  in_scope bigint, of_content text, of_ordinal bigint, was_version bigint, by_token uuid,
  new_state text, new_fields text, event_names text[], event_fields text[],
  of_origin text, remote_ids text[], new_marks text[], by_sender text, new_authors text[], new_owner text,
  begins boolean, in_quarter bigint, add_gross bigint, add_assumed bigint, add_confirmed bigint,
  keep_contents text[], keep_ordinals bigint[], keep_amounts bigint[], keep_at double precision, keep_quarter bigint,
  caps bigint[], cap_quarters bigint[], trust_refunds boolean,
  of_model text, of_intent_at double precision, of_project text, room jsonb,
  OUT record bigint, OUT kept_contents text[], OUT kept_ordinals bigint[], OUT doubts boolean
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  one text;
  gone record;
  kept_units bigint := 0;
  spent bigint;
BEGIN
  PERFORM set_config('lock_timeout', '1500ms', true);
  IF NOT durable THEN PERFORM set_config('synchronous_commit', 'off', true); END IF;
  PERFORM fence(of_batch, by_epoch);
  IF begins OR caps IS NOT NULL THEN  -- READ COMMITTED is enough for caps because of these locks
    PERFORM 1 FROM accounts WHERE origin = of_origin ORDER BY project FOR UPDATE;
  END IF;
  IF was_version = 0 THEN
    INSERT INTO records (scope, content, ordinal, state, fields, model, intent_at, epoch, token)
    VALUES (in_scope, of_content, of_ordinal, new_state, new_fields, of_model, of_intent_at, by_epoch, by_token)
    ON CONFLICT (scope, content, ordinal) DO NOTHING RETURNING id INTO record;
  ELSE
    UPDATE records SET state = new_state, fields = new_fields, model = of_model, intent_at = of_intent_at,
      version = version + 1, epoch = by_epoch, token = by_token
    WHERE scope = in_scope AND content = of_content AND ordinal = of_ordinal AND version = was_version
    RETURNING id INTO record;
  END IF;
  IF record IS NULL THEN
    SELECT id INTO record FROM records
    WHERE scope = in_scope AND content = of_content AND ordinal = of_ordinal
      AND version = was_version + 1 AND token = by_token;
    IF record IS NULL THEN
      RAISE EXCEPTION 'another process has written to this batch meanwhile' USING ERRCODE = 'BG002';
    END IF;
    SELECT array_agg(content), array_agg(ordinal) INTO kept_contents, kept_ordinals FROM reservations
    WHERE scope = in_scope AND parent_content = of_content AND parent_ordinal = of_ordinal AND at = keep_at;
    doubts := true;  -- some time has passed: whoever wants to know asks
    RETURN;
  END IF;
  IF room IS NOT NULL AND NOT has_room(of_origin, of_project, of_batch, of_intent_at, room) THEN
    RAISE EXCEPTION 'there is no room at the service' USING ERRCODE = 'BG005';
  END IF;
  INSERT INTO events (scope, content, ordinal, epoch, name, fields)
  SELECT in_scope, of_content, of_ordinal, by_epoch, t.name, t.fields
  FROM unnest(event_names, event_fields) WITH ORDINALITY AS t (name, fields, place) ORDER BY t.place;
  FOREACH one IN ARRAY remote_ids LOOP
    INSERT INTO submissions (origin, remote_id, record) VALUES (of_origin, one, record) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'a submission is another job''s' USING ERRCODE = 'BG003', DETAIL = one;
    END IF;
  END LOOP;
  IF cardinality(new_marks) > 0 THEN
    INSERT INTO marks (origin, name) SELECT of_origin, unnest(new_marks) ON CONFLICT DO NOTHING;
  END IF;
  IF cardinality(new_authors) > 0 THEN
    INSERT INTO senders (origin, sender, author, kind)
    SELECT of_origin, by_sender, unnest(new_authors), 'receipt' ON CONFLICT DO NOTHING;
  END IF;
  IF new_owner IS NOT NULL THEN
    UPDATE scopes SET owner = new_owner WHERE id = in_scope;
  END IF;
  IF begins THEN  -- from now on the body itself holds its money
    FOR gone IN DELETE FROM reservations
      WHERE scope = in_scope AND content = of_content AND ordinal = of_ordinal RETURNING at, amount
    LOOP
      PERFORM add_total(in_scope, quarter_of(gone.at), -gone.amount, 0, 0);
    END LOOP;
  END IF;
  IF cardinality(keep_contents) > 0 THEN
    WITH made AS (
      INSERT INTO reservations (scope, content, ordinal, amount, at, parent_content, parent_ordinal)
      SELECT in_scope, t.content, t.ordinal, t.amount, keep_at, of_content, of_ordinal
      FROM unnest(keep_contents, keep_ordinals, keep_amounts) AS t (content, ordinal, amount)
      ON CONFLICT DO NOTHING RETURNING content, ordinal, amount
    )
    SELECT array_agg(content), array_agg(ordinal), coalesce(sum(amount), 0)
    INTO kept_contents, kept_ordinals, kept_units FROM made;
    PERFORM add_total(in_scope, keep_quarter, kept_units, 0, 0);
  END IF;
  IF in_quarter IS NOT NULL THEN
    PERFORM add_total(in_scope, in_quarter, add_gross, add_assumed, add_confirmed);
    FOR place IN 1 .. coalesce(cardinality(caps), 0) LOOP
      IF cap_quarters[place] IS NULL THEN
        SELECT coalesce(sum(gross - confirmed - CASE WHEN trust_refunds THEN assumed ELSE 0 END), 0) INTO spent
        FROM totals WHERE scope = in_scope;
      ELSE
        SELECT coalesce(sum(gross - confirmed - CASE WHEN trust_refunds THEN assumed ELSE 0 END), 0) INTO spent
        FROM totals JOIN scopes ON scopes.id = totals.scope WHERE origin = of_origin AND quarter >= cap_quarters[place];
      END IF;
      IF spent > caps[place] THEN
        RAISE EXCEPTION 'a cap would not hold' USING ERRCODE = 'BG004',
          DETAIL = format('%s %s %s', place - 1, spent, coalesce(cardinality(kept_contents), 0));
      END IF;
    END LOOP;
  END IF;
  -- with the intent on record: so that nobody has to ask once more before the POST where nothing is in doubt at all
  IF begins THEN doubts := EXISTS (SELECT 1 FROM records WHERE state = 'in_doubt'); END IF;
END $$;

CREATE FUNCTION add_total(in_scope bigint, in_quarter bigint, add_gross bigint, add_assumed bigint, add_confirmed bigint)
RETURNS void LANGUAGE sql AS $$
  INSERT INTO totals (scope, quarter, gross, assumed, confirmed)
  SELECT in_scope, in_quarter, add_gross, add_assumed, add_confirmed
  WHERE add_gross <> 0 OR add_assumed <> 0 OR add_confirmed <> 0
  ON CONFLICT (scope, quarter) DO UPDATE SET gross = totals.gross + excluded.gross,
    assumed = totals.assumed + excluded.assumed, confirmed = totals.confirmed + excluded.confirmed
$$;

-- The quarter of an hour of a moment, as Python's ``//`` has it: a quotient may be rounded up to a whole number.
CREATE FUNCTION quarter_of(moment double precision) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT floor(moment / 900)::bigint - CASE WHEN floor(moment / 900) * 900 > moment THEN 1 ELSE 0 END
$$;

-- Gives turns of an account, as journal/pacing.py has it, by the clock of the server. Whoever commits money has the row
-- for a moment, and a loop that stands still does not wait for longer.
CREATE FUNCTION turns(
  of_origin text, of_project text, many int, own_gap double precision, for_submits boolean, hold_for double precision,
  horizon double precision, longest double precision,
  OUT wait double precision, OUT held double precision, OUT taken boolean
) LANGUAGE plpgsql AS $$
DECLARE
  there accounts%ROWTYPE;
  moment double precision;
  first_turn double precision;
BEGIN
  PERFORM set_config('lock_timeout', '100ms', true), set_config('synchronous_commit', 'off', true);
  taken := false;
  IF many = 0 AND hold_for = 0 THEN
    SELECT * INTO there FROM accounts WHERE origin = of_origin AND project = of_project;
    held := coalesce(there.submit_after, 0) - extract(epoch FROM clock_timestamp());
    IF held > longest THEN held := 0; END IF;
    wait := greatest(0, held);
    RETURN;
  END IF;
  SELECT * INTO there FROM accounts WHERE origin = of_origin AND project = of_project FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    INSERT INTO accounts (origin, project) VALUES (of_origin, of_project) ON CONFLICT DO NOTHING;
    SELECT * INTO there FROM accounts WHERE origin = of_origin AND project = of_project FOR NO KEY UPDATE;
  END IF;
  moment := extract(epoch FROM clock_timestamp());  -- after the wait for the row
  IF there.submit_after > moment + longest THEN there.submit_after := 0; END IF;
  IF hold_for > 0 THEN there.submit_after := greatest(there.submit_after, moment + hold_for); END IF;
  held := there.submit_after - moment;
  wait := greatest(0, held);
  IF many > 0 AND NOT (for_submits AND held > 0) THEN
    IF there.gap >= own_gap OR there.gap_until NOT BETWEEN moment AND moment + 2 * horizon + there.gap THEN
      there.gap := own_gap;
      there.gap_until := 0;
    END IF;
    first_turn := CASE WHEN there.last_turn > moment + horizon + 1 THEN moment
      ELSE greatest(moment, there.last_turn + there.gap) END;
    taken := first_turn <= moment + horizon;
    wait := CASE WHEN taken THEN first_turn - moment ELSE least(horizon, first_turn - moment - horizon) END;
  END IF;
  IF taken THEN
    there.last_turn := first_turn + (many - 1) * own_gap;
    IF there.gap_until = 0 THEN there.gap_until := there.last_turn + horizon + own_gap; END IF;
    UPDATE accounts SET last_turn = there.last_turn, gap = there.gap, gap_until = there.gap_until,
      submit_after = there.submit_after WHERE origin = of_origin AND project = of_project;
  ELSIF hold_for > 0 THEN
    UPDATE accounts SET submit_after = there.submit_after WHERE origin = of_origin AND project = of_project;
  END IF;
END $$;
