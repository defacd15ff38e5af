package com.example;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.PeerFailedException;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.Work;
import dev.lockstep.torch.TensorSpans;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** "Communicators are useful on their own" of the README. */
public final class Reduce {
  private Reduce() {}

  public static void main(String[] arguments) {
    try (Communicator ranks = Communicator.fromEnvironment();
        Tensor tensor = torch.ones(4)) {
      double[] sum = ranks.allReduce(new double[] {1, 2, 3}, ReduceOp.SUM);
      Work work = ranks.allReduceAsync(TensorSpans.of(tensor), ReduceOp.AVERAGE);
      work.await();
      System.out.println(
          "reduced: " + Arrays.toString(sum) + " " + tensor.sum().item_double() + " of " + ranks.size());
    } catch (PeerFailedException e) {
      System.err.println("rank " + e.rank() + " died");
    }
  }
}
