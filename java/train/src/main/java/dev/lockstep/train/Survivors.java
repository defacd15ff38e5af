package dev.lockstep.train;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.PeerFailedException;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.data.Normalizer;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.engine.TrainingState.Entry;
import dev.lockstep.train.memory.NativeView;
import dev.lockstep.train.strategy.Strategies;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The ranks that a run still has. Where a strategy goes on without ranks that are gone, the run's
 * parts are made anew for the others, with the state that each of them keeps meanwhile. One thread.
 */
final class Survivors implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Survivors.class);

  private final Communicator first;
  private Communicator group;

  /** The first group's ranks, by those of the present group. */
  private int[] members;

  /** Ranks of the first group that are gone. */
  private BitSet lost = new BitSet();

  /** Whether those who are left know of the same ranks, and have formed no group since. */
  private boolean agreed;

  /** Whether the run goes on without a rank of the first group. */
  private IntPredicate canLose = rank -> false;

  private final Map<String, NativeMemory> kept = new LinkedHashMap<>();
  private @Nullable JsonNode values;
  private @Nullable Kept rest;

  private record Kept(Checkpoints.Position position, Normalizer.Pair normalizers, int workers) {}

  /**
   * @param first the ranks at the beginning; not closed
   */
  Survivors(Communicator first) {
    this.first = first;
    group = first;
    members = IntStream.range(0, first.size()).toArray();
  }

  Communicator group() {
    return group;
  }

  boolean isFirstGroup() {
    return group == first;
  }

  /** Copies this rank's state, and who is gone. */
  void keep(TrainingAssembly run, Checkpoints.Position position) {
    free();
    for (Entry entry : run.state.entries()) {
      NativeMemory memory = NativeMemory.allocate(Math.max(1, entry.bytes()));
      kept.put(entry.name(), memory);
      NativeView.copy(memory.address(), entry.address(), entry.bytes());
    }
    values = run.state.values();
    rest = new Kept(position, run.normalizers(), workers(run));
    run.role.lost().stream().forEach(rank -> lost.set(members[rank]));
    canLose = run.role::canLose;
  }

  /**
   * Forms the group of those who are left; collective among them. Always from the first group,
   * whose channels outlive all failures: so ranks that have come into a group which others could
   * not form any more meet these again.
   */
  void regroup() {
    if (!agreed) {
      agree();
    }
    while (true) {
      int[] left = IntStream.range(0, first.size()).filter(rank -> !lost.get(rank)).toArray();
      try {
        Communicator next = first.shrink(left);
        closeGroup();
        group = next;
        members = left;
        agreed = false;
        return;
      } catch (CommunicationException e) {
        loseMore(e);
      }
    }
  }

  /**
   * Each rank does it once before every try to form a group, or they would not meet.
   *
   * @return how many ranks are known to be gone now that were not
   */
  private int agree() {
    agreed = true;
    BitSet before = lost;
    lost = SurvivorAgreement.agree(first, before);
    BitSet more = (BitSet) lost.clone();
    more.andNot(before);
    for (int rank : more.stream().toArray()) {
      if (!canLose.test(rank)) {
        throw new PeerFailedException(
            "Rank " + rank + " is gone, too, and the run cannot go on without it.", rank, null);
      }
      log.warn("Rank {} of the run's first ranks is gone, too.", rank);
    }
    return more.cardinality();
  }

  /**
   * Something has failed while the others formed a group, or took over what they keep: who is gone
   * besides; collective among those who are left.
   *
   * @throws CommunicationException the failure itself, if that is nobody, or it was not then
   */
  void loseMore(CommunicationException failure) {
    if (rest == null || agree() == 0) {
      throw failure;
    }
  }

  /**
   * Gives the new parts the state that was kept; collective. What the ranks had last averaged
   * before they lost the others (batch statistics) becomes that of the first rank that computes.
   * The losses of this epoch that are lost count as those of the ranks that are left.
   */
  Checkpoints.Position restore(TrainingAssembly run) {
    Kept all = rest;
    if (all == null || values == null) {
      throw new IllegalStateException("Nothing was kept.");
    }
    checkSameStep(all.position().steps());
    run.useNormalizers(all.normalizers());
    TrainingState state = run.state;
    state.restoreValues(values);
    for (Entry entry : state.entries()) {
      NativeMemory memory = kept.get(entry.name());
      if (memory == null || memory.bytes() != Math.max(1, entry.bytes())) {
        throw new TrainingException(
            "Ranks are gone, and "
                + entry.name()
                + " cannot be carried over to those who are left; --resume goes on from the last"
                + " checkpoint.");
      }
      NativeView.copy(entry.address(), memory.address(), entry.bytes());
    }
    state.broadcast(
        group, Strategies.ranksWithoutSamples(run.task.plan().strategy(), group.size()));
    free();
    rest = null;
    Checkpoints.Position last = all.position();
    return new Checkpoints.Position(
        last.sampler(),
        last.steps(),
        last.lossSum() * all.workers() / workers(run),
        last.skipped());
  }

  /** Where one rank heard of a loss later than another, what they have does not fit together. */
  private void checkSameStep(long steps) {
    long[] both = group.allReduce(new long[] {steps, -steps}, ReduceOp.MAX);
    if (both[0] != -both[1]) {
      throw new TrainingException(
          "Ranks are gone, and the others have heard of it after different steps, "
              + -both[1]
              + " to "
              + both[0]
              + "; --resume goes on from the last checkpoint.");
    }
  }

  /** Ranks of the present group that are given samples. */
  private int workers(TrainingAssembly run) {
    return group.size() - Strategies.ranksWithoutSamples(run.task.plan().strategy(), group.size());
  }

  private void free() {
    kept.values().forEach(NativeMemory::close);
    kept.clear();
  }

  private void closeGroup() {
    if (group != first) {
      group.close();
    }
  }

  @Override
  public void close() {
    free();
    closeGroup();
  }
}
