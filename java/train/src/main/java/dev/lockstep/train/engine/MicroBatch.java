package dev.lockstep.train.engine;

import dev.lockstep.data.DistributedSampler.Batch;
import java.util.ArrayList;
import java.util.List;

/**
 * The part of a rank's batch that goes through the model at once.
 *
 * @param batch what it is a part of
 * @param from its first sample, counted from the batch's first
 * @param count samples; 0 for a rank that has none in this step
 * @param last whether the step's gradients are complete after it
 */
public record MicroBatch(Batch batch, int from, int count, boolean last) {

  /**
   * Cuts a batch into parts of nearly equal size.
   *
   * @param pieces at most so many; never fewer than one, and none is empty unless the batch is
   */
  public static List<MicroBatch> cut(Batch batch, int pieces) {
    int parts = Math.max(1, Math.min(pieces, batch.count()));
    List<MicroBatch> cut = new ArrayList<>(parts);
    for (int part = 0; part < parts; part++) {
      int from = (int) ((long) batch.count() * part / parts);
      int to = (int) ((long) batch.count() * (part + 1) / parts);
      cut.add(new MicroBatch(batch, from, to - from, part + 1 == parts));
    }
    return cut;
  }
}
