"""How old events are when the first published version of the model that has learned them can be read (read_committed).

  python kafka_freshness.py BOOTSTRAP TOPIC SNAPSHOTS SCHEMA SECONDS SKIP_SECONDS

Notes when each manifest of a snapshot or delta can be read and how far its model had read the topic; afterwards reads
the topic and takes each event's stamp (the message's time). The last seconds are left out: a delta comes with a step,
and behind the last event there is none. Prints one JSON object.
"""
import io, json, sys, time
import fastavro
from confluent_kafka import Consumer, TopicPartition

boot, topic, snapshots, schema = sys.argv[1:5]
seconds, skip = float(sys.argv[5]), float(sys.argv[6])
LAST_SECONDS = 5
SNAPSHOT = fastavro.schema.load_schema(schema)


def reader(name, isolation):
    c = Consumer({'bootstrap.servers': boot, 'group.id': f'freshness-{name}-{time.time()}', 'enable.auto.commit': False,
                  'auto.offset.reset': 'earliest', 'isolation.level': isolation, 'fetch.wait.max.ms': 20})
    parts = list(c.list_topics(name, 10).topics[name].partitions)
    c.assign([TopicPartition(name, p, 0) for p in parts])
    return c, parts


c, _ = reader(snapshots, 'read_committed')
print('ready', flush=True)
began = time.time()
versions, deltas = [], 0
while time.time() - began < seconds:
    for m in c.consume(100, 0.02):
        now = time.time()
        if m.error():
            raise SystemExit(str(m.error()))
        if m.value() is None:  # a tombstone of what a full snapshot made obsolete
            continue
        record = fastavro.schemaless_reader(io.BytesIO(m.value()[5:]), SNAPSHOT)
        if record.get('manifest') is None:
            continue
        deltas += record['kind'] == 'delta'
        versions.append((now, {o['partition']: int(o['offset']) for o in record['manifest']['offsets']}))
versions.sort(key=lambda version: version[0])

c, parts = reader(topic, 'read_uncommitted')
ends = {p: c.get_watermark_offsets(TopicPartition(topic, p))[1] for p in parts}
at, seen = dict.fromkeys(parts, 0), []
left = sum(ends.values())
while left > 0:
    for m in c.consume(5000, 1.0):
        left -= 1
        stamp = m.timestamp()[1] / 1000
        p = m.partition()
        while at[p] < len(versions) and versions[at[p]][1].get(f'{topic}/{p}', 0) <= m.offset():
            at[p] += 1
        if stamp < began + skip:
            continue
        seen.append((stamp, versions[at[p]][0] - stamp if at[p] < len(versions) else None))
end = max((stamp for stamp, _ in seen), default=0) - LAST_SECONDS
judged = [age for stamp, age in seen if stamp < end]
ages = sorted(age for age in judged if age is not None)
unpublished = len(judged) - len(ages)
quantile = lambda q: ages[min(len(ages) - 1, int(q * len(ages)))] if ages else None
print(json.dumps({'versions': len(versions), 'deltas': deltas, 'aged': len(ages), 'unpublished': unpublished,
                  'p50': quantile(.5), 'p99': quantile(.99), 'max': quantile(1)}))
