package dev.lockstep.train.compression;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.Span;
import dev.lockstep.comm.Work;
import org.jspecify.annotations.Nullable;

/** Gradients as they are: of types that are not compressed. */
record PlainSum(Communicator group, Span gradients) implements RangeSum {
  @Override
  public Work start(long step, double carry) {
    return group.allReduceAsync(gradients, ReduceOp.SUM);
  }

  @Override
  public @Nullable Work proceed() {
    return null;
  }

  @Override
  public void finish() {}

  @Override
  public long sentBytes() {
    return Compression.allReduceBytes(gradients.count() * gradients.type().bytes(), group.size());
  }
}
