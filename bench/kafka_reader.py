"""An independent read_committed reader of predictions: counts them, and says how old each was when it could be read.

  python kafka_reader.py BOOTSTRAP TOPIC SECONDS [SKIP_SECONDS]

Reads from the earliest record until SECONDS have passed (0: until nothing more comes for two seconds). Prints one JSON
object: predictions, distinct event ids, and the quantiles of (now - event time) of those read after SKIP_SECONDS, and
the longest pause between two predictions.
"""
import json, sys, time
from confluent_kafka import Consumer, TopicPartition

boot, topic, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
skip = float(sys.argv[4]) if len(sys.argv) > 4 else 0.0


def long(b, at):
    value = shift = 0
    while True:
        byte = b[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return (value >> 1) ^ -(value & 1), at


def stamp(b):
    """Event id and event time: the first and the third field behind the frame of five bytes."""
    size, at = long(b, 5)
    event, at = b[at:at + size], at + size
    branch, at = long(b, at)
    if branch == 1:
        size, at = long(b, at)
        at += size
    return event, long(b, at)[0]


c = Consumer({'bootstrap.servers': boot, 'group.id': f'reader-{time.time()}', 'auto.offset.reset': 'earliest',
              'enable.auto.commit': False, 'isolation.level': 'read_committed', 'fetch.wait.max.ms': 20})
c.assign([TopicPartition(topic, p, 0) for p in c.list_topics(topic, 10).topics[topic].partitions])
print('ready', flush=True)
began = last = time.time()
ids, count, ages, pause = set(), 0, [], 0.0
while True:
    messages = c.consume(2000, 0.02)
    now = time.time()
    if messages:
        if count:
            pause = max(pause, now - last)
        last = now
    elif seconds == 0 and now - last > 2 and count:
        break
    if seconds and now - began > seconds:
        break
    for m in messages:
        if m.error():
            raise SystemExit(str(m.error()))
        event, time_ms = stamp(m.value())
        ids.add(event)
        count += 1
        if now - began >= skip:
            ages.append(now - time_ms / 1000)
ages.sort()
at = lambda q: ages[min(len(ages) - 1, int(q * len(ages)))] if ages else None
print(json.dumps({'predictions': count, 'distinct': len(ids), 'aged': len(ages), 'p50': at(.5), 'p90': at(.9),
                  'p99': at(.99), 'max': at(1), 'longestPause': pause}))
