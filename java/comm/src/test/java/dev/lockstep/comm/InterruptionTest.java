package dev.lockstep.comm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.testing.RankProcesses;
import dev.lockstep.testing.RankThreads;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** {@link Thread#interrupt} ends whatever a thread waits for in a group. */
@Timeout(120)
class InterruptionTest {
  /** No wait of these tests ends by itself. */
  private static final double FOREVER_SECONDS = 1000;

  private static final Duration LIMIT = Duration.ofSeconds(100);

  @TempDir Path folder;

  private static Span bytes(int count) {
    return Span.of(ByteBuffer.allocateDirect(count));
  }

  /**
   * Runs {@code wait}, which blocks, and has its thread interrupted until it ends; the flag must
   * then be set, and is cleared here.
   */
  private static CommunicationInterruptedException interrupted(Executable wait) {
    Thread waiting = Thread.currentThread();
    AtomicBoolean over = new AtomicBoolean();
    Thread interrupter =
        new Thread(
            () -> {
              while (!over.get()) {
                boolean blocked =
                    waiting.getState() != Thread.State.RUNNABLE
                        || List.of(waiting.getStackTrace()).stream()
                            .anyMatch(frame -> frame.isNativeMethod());
                if (blocked) {
                  waiting.interrupt();
                  return;
                }
                Thread.onSpinWait();
              }
            });
    interrupter.start();
    try {
      return assertThrows(CommunicationInterruptedException.class, wait);
    } finally {
      over.set(true);
      boolean flag = Thread.interrupted();
      while (interrupter.isAlive()) {
        try {
          interrupter.join();
        } catch (InterruptedException e) {
          flag = true;
        }
      }
      assertTrue(flag, "the interrupt flag was lost");
    }
  }

  private static List<Void> twoRanks(RankThreads.RankBody<Void> body) throws Exception {
    return RankThreads.run(
        2, (group, rank, size) -> Communicator.inProcess(group, rank, size, FOREVER_SECONDS), body);
  }

  @Test
  void aCollectiveThatIsInterruptedEndsTheGroupOnAllRanks() throws Exception {
    CountDownLatch left = new CountDownLatch(1);
    twoRanks(
        ranks -> {
          if (ranks.rank() == 0) {
            interrupted(ranks::barrier);
            left.countDown();
            assertThrows(CommunicatorClosedException.class, ranks::barrier);
          } else {
            left.await();
            PeerFailedException e = assertThrows(PeerFailedException.class, ranks::barrier);
            assertEquals(0, e.rank());
            assertTrue(e.getMessage().contains("was interrupted"), e.getMessage());
          }
          return null;
        });
  }

  @Test
  void messagesThatAreInterruptedLeaveTheGroupWhole() throws Exception {
    twoRanks(
        ranks -> {
          Span data = bytes(8);
          if (ranks.rank() == 0) {
            interrupted(() -> ranks.receive(data, 1, 1));
            interrupted(() -> ranks.exchange(List.of(Transfer.receive(data, 1, 1))));
            interrupted(() -> ranks.exchange(List.of(Transfer.receive(data, 1, 1)), LIMIT));
            interrupted(() -> ranks.channel(1, 2).await(LIMIT));
            Work receive = ranks.receiveAsync(data, 1, 1);
            interrupted(receive::await);
            interrupted(() -> receive.await(LIMIT));
            ranks.barrier();
            assertTrue(receive.await(LIMIT));
          } else {
            ranks.barrier();
            ranks.send(data, 0, 1);
          }
          ranks.barrier();
          return null;
        });
  }

  @Test
  void aStartedCollectiveGoesOnWhenItsWaitIsInterrupted() throws Exception {
    CountDownLatch interrupted = new CountDownLatch(1);
    twoRanks(
        ranks -> {
          if (ranks.rank() == 0) {
            Work barrier = ranks.barrierAsync();
            interrupted(barrier::await);
            interrupted.countDown();
            barrier.await();
          } else {
            interrupted.await();
            ranks.barrier();
          }
          return null;
        });
  }

  @Test
  void aThreadWhoseCollectiveIsQueuedBehindAnotherIsLetGo() throws Exception {
    CountDownLatch left = new CountDownLatch(1);
    twoRanks(
        ranks -> {
          if (ranks.rank() == 0) {
            Work before = ranks.barrierAsync();
            interrupted(ranks::barrier);
            left.countDown();
            assertThrows(CommunicatorClosedException.class, before::await);
          } else {
            left.await();
            assertThrows(PeerFailedException.class, ranks::barrier);
          }
          return null;
        });
  }

  @Test
  void formingAGroupIsInterrupted() {
    int port = RankProcesses.freePort();
    for (int rank : new int[] {0, 1}) {
      TcpOptions options = new TcpOptions(rank, 2, "127.0.0.1", port, "secret", FOREVER_SECONDS);
      interrupted(() -> Communicator.join(options, CommunicatorConfig.defaults()));
    }
    interrupted(() -> Communicator.inProcess("nobody else", 0, 2, FOREVER_SECONDS));
    try (RendezvousPort open = Communicator.listen("127.0.0.1", 0)) {
      interrupted(() -> open.join(2, "secret", FOREVER_SECONDS, CommunicatorConfig.defaults()));
    }
  }

  @Test
  void anInterruptedThreadMayCloseItsGroup() throws Exception {
    twoRanks(
        ranks -> {
          ranks.barrier();
          Thread.currentThread().interrupt();
          ranks.close();
          assertTrue(Thread.interrupted());
          return null;
        });
  }

  /** Its rank 0 is interrupted while rank 1 is busy, over the backend that is named. */
  static final class InterruptedRank {
    public static void main(String[] arguments) throws Exception {
      CommunicatorConfig config =
          new CommunicatorConfig(CommunicatorConfig.Choice.valueOf(arguments[0]), FOREVER_SECONDS);
      try (Communicator ranks = Communicator.fromEnvironment(config)) {
        if (ranks.rank() == 0) {
          interrupted(ranks::barrier);
          System.out.println("interrupted over " + ranks.backend());
        } else {
          System.in.read(); // until the test says that rank 0 has been interrupted
          System.out.println(assertThrows(PeerFailedException.class, ranks::barrier).getMessage());
        }
      }
    }
  }

  private void processesAreInterrupted(CommunicatorConfig.Choice choice) throws Exception {
    try (RankProcesses ranks =
        RankProcesses.start(folder, 2, InterruptedRank.class, choice.name())) {
      ranks.awaitOutput(0, "interrupted over " + choice, LIMIT);
      ranks.process(1).getOutputStream().close();
      ranks.awaitSuccess(LIMIT);
      assertTrue(ranks.output(1).contains("Rank 0"), ranks.output(1));
    }
  }

  @Test
  void ranksThatAreProcessesAreInterruptedOverTcp() throws Exception {
    processesAreInterrupted(CommunicatorConfig.Choice.TCP);
  }

  @Test
  void ranksThatAreProcessesAreInterruptedOverSharedMemory() throws Exception {
    processesAreInterrupted(CommunicatorConfig.Choice.SHARED_MEMORY);
  }
}
