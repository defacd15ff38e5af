package dev.lockstep.train.strategy.server;

import dev.lockstep.comm.Communicator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A worker's thread that lets dedicated servers know that its process runs, as often as servers
 * have pulses: a step may take long, and a process that was stopped says nothing.
 */
final class Heartbeat implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Heartbeat.class);

  private final List<SignOfLife> signs;
  private final long pulseNanos;
  private final Thread thread;
  private final CountDownLatch ended = new CountDownLatch(1);

  /**
   * @param servers the ranks that are told, from 0 on
   */
  Heartbeat(Communicator group, int servers) {
    signs =
        IntStream.range(0, servers)
            .mapToObj(server -> new SignOfLife(group, server, SignOfLife.Of.PROCESS))
            .toList();
    pulseNanos = Silence.pulseNanos(group.timeout());
    thread = new Thread(this::run, "lockstep-heartbeat-" + group.rank());
    thread.setDaemon(true);
  }

  void start() {
    thread.start();
  }

  private void run() {
    try {
      do {
        signs.forEach(SignOfLife::send);
      } while (!ended.await(pulseNanos, TimeUnit.NANOSECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      log.debug("No more signs of life are sent.", e);
    }
  }

  @Override
  public void close() {
    ended.countDown();
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    signs.forEach(SignOfLife::close);
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
