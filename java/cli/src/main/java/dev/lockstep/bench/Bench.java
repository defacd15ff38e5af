package dev.lockstep.bench;

import dev.lockstep.comm.Algorithm;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Times operations on a group. All its ranks make the same calls in the same order.
 *
 * <p>An iteration is: every rank rewrites its own inputs; barrier; the clock; the operation; the
 * clock; every rank reads and checks all of its results. Rewriting and reading matter: otherwise
 * half of each buffer stays in the cache of the wrong core. The time of an iteration is, up to
 * {@link #MEAN_UP_TO} bytes, the mean over ranks, as in OSU's {@code osu_allreduce} (a maximum
 * would add the whole difference between the ranks' leaving the barrier to a few microseconds);
 * above, the maximum over ranks, as in nccl-tests. Of iterations the median is reported. The peers
 * in {@code benchmarks/peers} measure alike.
 *
 * <p>Not thread-safe.
 */
public final class Bench implements AutoCloseable {
  /** Up to here an iteration takes the mean of its ranks' times, above the maximum. */
  public static final long MEAN_UP_TO = 64 * 1024;

  private static final int COMPILE_ROUND = 500;
  private static final double MICROSECONDS = 1e-3;

  private final Communicator group;
  private final boolean registered;
  private final BenchMemory first;
  private final BenchMemory second;
  private boolean compiled;

  /**
   * Allocates the buffers, two for each rank.
   *
   * @param cases what will be measured; registered all or none
   */
  public Bench(Communicator group, List<BenchCase> cases) {
    this.group = group;
    this.registered = cases.stream().anyMatch(BenchCase::registered);
    long largest = cases.stream().mapToLong(c -> c.measuredBytes(group.size())).max().orElse(0);
    boolean twice = cases.stream().anyMatch(c -> !c.inPlace());
    this.first = BenchMemory.allocate(group, largest, registered);
    this.second = twice ? BenchMemory.allocate(group, largest, registered) : first;
  }

  /**
   * Runs one case; collective.
   *
   * @throws IllegalArgumentException when the group has too few ranks for it
   */
  public BenchResult measure(BenchCase parameters, Iterations iterations) {
    if (parameters.registered() != registered) {
      throw new IllegalArgumentException("The buffers of one bench are registered all or none.");
    }
    boolean isMessage = parameters.operation().collective().isEmpty();
    if (isMessage && group.size() < 2) {
      throw new IllegalArgumentException(
          parameters.operation().text() + " needs two ranks or more.");
    }
    Workload workload = new Workload(parameters, group, first, second);
    if (!compiled) {
      compile(workload, iterations.compile());
      compiled = true;
    }
    double[] times = new double[iterations.measured()];
    long errors = 0;
    for (int i = -iterations.warmUp(); i < iterations.measured(); i++) {
      int variant = Math.floorMod(i, Pattern.VARIANTS);
      workload.write(variant);
      group.barrier();
      long begin = System.nanoTime();
      workload.run();
      long end = System.nanoTime();
      errors += workload.countErrors(variant);
      if (i >= 0) {
        times[i] = (end - begin) * MICROSECONDS;
      }
    }
    String algorithm = (isMessage ? Algorithm.NONE : group.lastAlgorithm()).text();
    long allErrors = group.allReduce(new long[] {errors}, ReduceOp.SUM)[0];
    return result(parameters, algorithm, ofAllRanks(parameters, times), allErrors);
  }

  /** Lets the JVM's compiler see the whole path before anything is measured. */
  private void compile(Workload workload, int calls) {
    long begin = System.nanoTime();
    for (int done = 0; done < calls; done += COMPILE_ROUND) {
      for (int i = 0; i < COMPILE_ROUND; i++) {
        workload.run();
      }
      double seconds = (System.nanoTime() - begin) * 1e-9;
      // Whether to stop is agreed, so that all ranks have made the same calls.
      if (group.allReduce(new double[] {seconds}, ReduceOp.MAX)[0] > Iterations.COMPILE_SECONDS) {
        return;
      }
    }
  }

  /** Each iteration's time from its ranks' times. */
  private double[] ofAllRanks(BenchCase parameters, double[] times) {
    if (parameters.operation() == BenchOperation.PINGPONG) {
      double[] own = group.rank() == 0 ? times : new double[times.length];
      double[] halves = group.allReduce(own, ReduceOp.SUM);
      return Arrays.stream(halves).map(time -> time / 2).toArray();
    }
    boolean mean = parameters.measuredBytes(group.size()) <= MEAN_UP_TO;
    return group.allReduce(times, mean ? ReduceOp.AVERAGE : ReduceOp.MAX);
  }

  private BenchResult result(
      BenchCase parameters, String algorithm, double[] microseconds, long errors) {
    Arrays.sort(microseconds);
    double median = microseconds[microseconds.length / 2];
    long bytes = parameters.measuredBytes(group.size());
    double algbw = bytes / median * 1e-3;
    return new BenchResult(
        parameters,
        algorithm,
        group.backend().name().toLowerCase(Locale.ROOT),
        group.size(),
        bytes,
        microseconds[0],
        median,
        microseconds[microseconds.length - 1],
        algbw,
        algbw * parameters.operation().busFactor(group.size()),
        errors);
  }

  /** Frees the buffers; the group stays open. */
  @Override
  public void close() {
    first.close();
    if (second != first) {
      second.close();
    }
  }
}
