package dev.lockstep.torch;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.Work;
import dev.lockstep.testing.RankThreads;
import java.util.concurrent.CountDownLatch;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Collectives and messages in a tensor's own memory. */
@Timeout(value = 240, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TensorSpansTest {
  @Test
  void startedOperationsReduceATensorInPlace() throws Exception {
    RankThreads.run(
        2,
        ranks -> {
          Scalar own = new Scalar(1f + ranks.rank());
          try (Tensor tensor = torch.full(new long[] {1000}, own)) {
            Work first = ranks.allReduceAsync(TensorSpans.of(tensor), ReduceOp.SUM);
            Work second = ranks.allReduceAsync(TensorSpans.of(tensor), ReduceOp.SUM);
            second.await();
            first.await();
            assertEquals(6f, tensor.data_ptr_float().get(999));
          }
          return null;
        });
  }

  @Test
  void aClosedTensorKeepsItsElementsUntilTheEnd() throws Exception {
    CountDownLatch closed = new CountDownLatch(1);
    RankThreads.run(
        2,
        ranks -> {
          if (ranks.rank() == 1) {
            closed.await();
            try (Tensor ones = torch.ones(1024)) {
              ranks.send(TensorSpans.of(ones), 0, 1);
            }
            return null;
          }
          Tensor tensor = torch.zeros(1024);
          try (Tensor same = new Tensor(tensor)) {
            Work work = ranks.receiveAsync(TensorSpans.of(tensor), 1, 1);
            tensor.close();
            assertEquals(2, same.use_count());
            closed.countDown();
            work.await();
            assertEquals(1, same.use_count());
            assertEquals(1f, same.data_ptr_float().get(1023));
          }
          return null;
        });
  }
}
