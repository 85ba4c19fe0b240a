"""Changes a collection again and again: drive.py DIR SPOOL SEED. Says what it is about to do, and that it did it.

Tests kill it.
"""

import json
import random
import sys

from neuralgraph.collection import Collection, add, compact, remove, vacuum

if __name__ == "__main__":
    place, spool, seed = sys.argv[1:]
    chance = random.Random(int(seed))
    collection = Collection(place)
    present = {study_id for _, _, ids in collection.ids() for study_id in ids}
    while True:
        kind = chance.choice(["add", "add", "remove", "compact", "vacuum"])
        chosen = []
        after = set(present)
        if kind == "add":
            number = chance.randrange(40)
            chosen = [f"{spool}/{number}.ngr"]
            after |= {f"study-{3 * number + k}" for k in range(3)}
        elif kind == "remove":
            chosen = chance.sample(sorted(present), min(len(present), 2))
            after -= set(chosen)
            if not chosen:
                continue
        sys.stdout.write(f"BEGIN {json.dumps(sorted(after))}\n")
        sys.stdout.flush()
        if kind == "add":
            add(collection, chosen)
        elif kind == "remove":
            remove(collection, chosen, remember=False)
        elif kind == "compact":
            compact(collection)
        else:
            vacuum(collection, older_than=0)
        present = after
        sys.stdout.write("DONE\n")
        sys.stdout.flush()
