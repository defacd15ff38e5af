package dev.lockstep.comm;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.testing.RankThreads;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a careless caller may do to the memory of an operation that is under way. */
@Timeout(value = 240, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class StartedOperationTest {
  private static final int BYTES = 4096;

  private final CountDownLatch send = new CountDownLatch(1);

  /** Rank 0 does {@code body}; rank 1 sends {@link #BYTES} bytes when {@link #send} opens. */
  private void receiving(RankThreads.RankBody<Void> body) throws Exception {
    RankThreads.run(
        2,
        ranks -> {
          if (ranks.rank() == 0) {
            return body.run(ranks);
          }
          assertTrue(send.await(30, SECONDS));
          ranks.send(elements(ByteBuffer.allocateDirect(BYTES)), 0, 1);
          ranks.barrier();
          return null;
        });
  }

  /** After the barrier the message is on its way or has come. */
  private void letItEnd(Communicator ranks) {
    send.countDown();
    ranks.barrier();
  }

  @Test
  void closedMemoryIsNotGivenToOthersBeforeTheEnd() throws Exception {
    receiving(
        ranks -> {
          NativeMemory memory = NativeMemory.allocate(BYTES);
          long address = memory.address();
          Span span = memory.span(0, BYTES / Float.BYTES, DataType.F32);
          Work work = ranks.receiveAsync(span, 1, 1);
          memory.close();
          assertThrows(IllegalStateException.class, memory::address);
          assertThrows(IllegalStateException.class, () -> ranks.sendAsync(span, 1, 1));
          try (NativeMemory other = NativeMemory.allocate(BYTES)) {
            assertNotEquals(address, other.address());
          }
          letItEnd(ranks);
          assertEquals(1, work.await());
          return null;
        });
  }

  @Test
  void whatNobodyRemembersIsKeptUntilTheEndAndNoLonger() throws Exception {
    receiving(
        ranks -> {
          WeakReference<ByteBuffer> dropped = startAndForget(ranks);
          collectGarbage();
          assertNotNull(dropped.get());
          letItEnd(ranks);
          ranks.close();
          while (dropped.get() != null) {
            System.gc();
          }
          return null;
        });
  }

  /** Returns when the collector has found what nobody refers to. */
  private static void collectGarbage() {
    WeakReference<ByteBuffer> unused = new WeakReference<>(ByteBuffer.allocateDirect(BYTES));
    while (unused.get() != null) {
      System.gc();
    }
  }

  private static Span elements(ByteBuffer buffer) {
    return Span.of(buffer, DataType.F32);
  }

  private static WeakReference<ByteBuffer> startAndForget(Communicator ranks) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(BYTES);
    ranks.receiveAsync(elements(buffer), 1, 1);
    return new WeakReference<>(buffer);
  }

  @Test
  void askingWhetherItIsDoneDoesNotWaitForWhoeverWaits() throws Exception {
    receiving(
        ranks -> {
          Work work = ranks.receiveAsync(elements(ByteBuffer.allocateDirect(BYTES)), 1, 1);
          Thread waiting = new Thread(work::await, "waits");
          waiting.start();
          while (!inNative(waiting)) {
            Thread.onSpinWait();
          }
          assertFalse(work.isDone());
          letItEnd(ranks);
          waiting.join();
          assertTrue(work.isDone());
          return null;
        });
  }

  private static boolean inNative(Thread thread) {
    StackTraceElement[] frames = thread.getStackTrace();
    return frames.length > 0
        && frames[0].isNativeMethod()
        && frames[0].getClassName().startsWith("dev.lockstep.jni.");
  }
}
