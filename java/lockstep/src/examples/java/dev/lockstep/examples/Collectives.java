package dev.lockstep.examples;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.PeerFailedException;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.Work;
import dev.lockstep.torch.TensorSpans;
import org.bytedeco.pytorch.Tensor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Communicators on their own. */
public final class Collectives {
  private static final Logger log = LoggerFactory.getLogger(Collectives.class);

  private Collectives() {}

  /** Sums, and averages a tensor in place. */
  public static void run(Tensor tensor) {
    try (Communicator ranks = Communicator.fromEnvironment()) { // mpirun, srun, RANK=…, or alone
      double[] sum = ranks.allReduce(new double[] {1, 2, 3}, ReduceOp.SUM);
      Work work =
          ranks.allReduceAsync(
              TensorSpans.of(tensor), ReduceOp.AVERAGE); // a libtorch tensor, in place
      log.info("the sum is {}", sum);
      work.await();
    } catch (PeerFailedException e) {
      log.warn("rank {} died", e.rank());
    }
  }
}
