package dev.lockstep.train.strategy.server;

import dev.lockstep.train.memory.FlatBuffers;
import java.util.BitSet;
import java.util.TreeMap;

/**
 * One update a step, of the sum of the workers' gradients in the order of their ranks, whichever
 * comes first. With backup workers (Chen et al. 2016, "Revisiting distributed synchronous SGD",
 * section 3) a step does without its slowest; what these push later for it is dropped, and they go
 * on with the step that the others are at.
 */
final class SynchronousUpdates implements UpdateRule {
  private final SliceServer server;
  private final ServedSlice slice;
  private final int workers;
  private final int dropped;
  private final Staleness staleness;
  private final TreeMap<Integer, Caller> arrived = new TreeMap<>();

  /** The step whose gradients are being collected; −1 before the first. */
  private long clock = -1;

  /**
   * @param workers how many the batch is cut for
   * @param dropped how many of them a step need not have
   */
  SynchronousUpdates(
      SliceServer server, ServedSlice slice, int workers, int dropped, Staleness staleness) {
    this.server = server;
    this.slice = slice;
    this.workers = workers;
    this.dropped = dropped;
    this.staleness = staleness;
  }

  @Override
  public void pushed(Caller worker) {
    long step = worker.request().clock();
    if (clock < 0) {
      clock = step;
    }
    if (step < clock) {
      server.answer(worker, clock);
      return;
    }
    arrived.put(worker.rank(), worker);
    applyWhenComplete();
  }

  @Override
  public void left(Caller worker) {
    arrived.remove(worker.rank());
    applyWhenComplete();
  }

  private void applyWhenComplete() {
    if (arrived.isEmpty() || arrived.size() < Math.min(server.working(), workers - dropped)) {
      return;
    }
    apply();
    clock++;
    for (Caller worker : arrived.values()) {
      server.answer(worker, clock);
    }
    arrived.clear();
  }

  private void apply() {
    FlatBuffers sum = null;
    BitSet used = new BitSet();
    double share = 0;
    for (Caller worker : arrived.values()) {
      if (!worker.request().carriesGradients()) {
        continue;
      }
      used.or(worker.request().used());
      share += worker.request().share();
      if (sum == null) {
        sum = worker.data();
      } else {
        ServedSlice.add(sum, worker.data());
      }
    }
    if (sum == null || used.isEmpty()) {
      return;
    }
    if (arrived.size() < workers) {
      // The mean over the samples that are there.
      ServedSlice.scale(sum, 1 / share);
    }
    slice.apply(used, sum, arrived.firstEntry().getValue().request().learningRate());
    for (Caller worker : arrived.values()) {
      staleness.add(
          new Staleness.Entry(worker.rank(), clock, worker.readVersion(), slice.version()));
    }
  }

  @Override
  public long fastest() {
    return clock;
  }
}
