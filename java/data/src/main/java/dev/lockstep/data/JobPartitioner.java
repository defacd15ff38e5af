package dev.lockstep.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.stream.IntStream;

/**
 * Jobs of known costs shared out over workers, longest first: each goes to the worker that has the
 * least so far (Graham 1969, "Bounds on multiprocessing timing anomalies"). The largest sum is at
 * most 4/3 − 1/(3 workers) of the least that is possible.
 *
 * @param workers for each worker the indices of its jobs, in the order in which it got them
 * @param costs for each worker the sum of its jobs' costs
 */
public record JobPartitioner(List<List<Integer>> workers, List<Double> costs) {
  public JobPartitioner {
    workers = workers.stream().map(List::copyOf).toList();
    costs = List.copyOf(costs);
  }

  /**
   * Shares them out; the same everywhere for equal arguments, as ties go to the lowest index.
   *
   * @param jobs the cost of each, in any unit; finite and not negative
   * @param workers how many, at least 1
   * @throws IllegalArgumentException if an argument is out of range
   */
  public static JobPartitioner longestFirst(double[] jobs, int workers) {
    if (workers < 1) {
      throw new IllegalArgumentException("there must be at least 1 worker, not " + workers);
    }
    for (double cost : jobs) {
      if (!(cost >= 0 && Double.isFinite(cost))) {
        throw new IllegalArgumentException("a job cannot cost " + cost);
      }
    }
    double[] sums = new double[workers];
    List<List<Integer>> given = new ArrayList<>();
    PriorityQueue<Integer> least =
        new PriorityQueue<>(
            Comparator.<Integer>comparingDouble(worker -> sums[worker])
                .thenComparing(Comparator.naturalOrder()));
    for (int worker = 0; worker < workers; worker++) {
      given.add(new ArrayList<>());
      least.add(worker);
    }
    IntStream.range(0, jobs.length)
        .boxed()
        .sorted(Comparator.<Integer>comparingDouble(job -> -jobs[job]))
        .forEach(
            job -> {
              int worker = least.remove();
              given.get(worker).add(job);
              sums[worker] += jobs[job];
              least.add(worker);
            });
    return new JobPartitioner(given, Arrays.stream(sums).boxed().toList());
  }

  /** The largest of the sums: how long it takes until all are done. */
  public double longest() {
    return costs.stream().mapToDouble(Double::doubleValue).max().orElseThrow();
  }
}
