package dev.lockstep.train;

import dev.lockstep.comm.CollectiveTimeoutException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.DataType;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.PeerFailedException;
import dev.lockstep.comm.Work;
import java.nio.LongBuffer;
import java.time.Duration;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Which ranks of a group are gone, agreed on by those that are left: where several die at once,
 * each of the others may have noticed another one first. In rounds, over channels, each tells all
 * whom it knows of, and adds what it is told and whoever cannot be told, until a round has added
 * nothing to what anyone has said.
 */
final class SurvivorAgreement {
  private static final int TAG = 31_000;

  /** Deadlines; one of them may pass while another rank finds that a group cannot be formed. */
  private static final int PATIENCE = 2;

  private final Communicator group;
  private final BitSet lost;

  private SurvivorAgreement(Communicator group, BitSet known) {
    this.group = group;
    lost = (BitSet) known.clone();
  }

  /**
   * Collective among those who are left, each with whom it knows of.
   *
   * @param known ranks of the group that are gone
   * @return all that are, the same on all
   * @throws CollectiveTimeoutException if a rank that is there says nothing
   */
  static BitSet agree(Communicator group, BitSet known) {
    SurvivorAgreement agreement = new SurvivorAgreement(group, known);
    while (agreement.round()) {}
    return agreement.lost;
  }

  /** Returns whether there must be another one. */
  private boolean round() {
    BitSet said = (BitSet) lost.clone();
    int words = (group.size() + Long.SIZE - 1) / Long.SIZE;
    boolean changed = false;
    try (NativeMemory own = NativeMemory.allocate((long) words * Long.BYTES);
        NativeMemory all = NativeMemory.allocate((long) words * Long.BYTES * group.size())) {
      LongBuffer out = own.buffer().asLongBuffer();
      long[] bits = said.toLongArray();
      out.put(bits);
      Map<Integer, Work> receives = new LinkedHashMap<>();
      Map<Integer, Work> sends = new LinkedHashMap<>();
      for (int rank = 0; rank < group.size(); rank++) {
        if (rank != group.rank() && !said.get(rank)) {
          long at = (long) rank * words * Long.BYTES;
          receives.put(rank, group.channel(rank, TAG).receive(all.span(at, words, DataType.I64)));
          sends.put(rank, group.channel(rank, TAG).send(own.span(0, words, DataType.I64)));
        }
      }
      try {
        LongBuffer in = all.buffer().asLongBuffer();
        for (Map.Entry<Integer, Work> sent : sends.entrySet()) {
          changed |= !has(sent.getValue(), sent.getKey());
        }
        for (Map.Entry<Integer, Work> receive : receives.entrySet()) {
          int rank = receive.getKey();
          changed |= !has(receive.getValue(), rank);
          if (!lost.get(rank)) {
            long[] told = new long[words];
            in.get(rank * words, told);
            BitSet heard = BitSet.valueOf(told);
            changed |= !heard.equals(said);
            lost.or(heard);
          }
        }
      } finally {
        receives.values().forEach(Work::cancel);
        sends.values().forEach(Work::cancel);
      }
    }
    return changed;
  }

  /** Waits for a message; false, and the rank is lost, if it cannot come. */
  private boolean has(Work message, int rank) {
    try {
      double limit = PATIENCE * group.timeout() * 1e9;
      if (message.await(Duration.ofNanos((long) limit))) {
        return true;
      }
    } catch (PeerFailedException e) {
      lost.set(rank);
      return false;
    }
    throw new CollectiveTimeoutException(
        "Ranks are gone, and rank "
            + rank
            + " has not said within "
            + PATIENCE * group.timeout()
            + " s which ones it knows of: its process has stopped, or is still at a step.",
        rank,
        null);
  }
}
