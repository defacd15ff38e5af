package dev.lockstep.train.server;

import dev.lockstep.comm.Channel;
import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.CommunicatorClosedException;
import dev.lockstep.comm.Incoming;
import dev.lockstep.comm.Span;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A {@link ParameterServer} that other ranks can reach, until it is closed. */
public final class ParameterService implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ParameterService.class);

  /** How long it waits for a request before it looks whether it has been closed. */
  private static final Duration PATIENCE = Duration.ofMillis(50);

  static final int CALL = 21_300;
  static final int RESULT = 21_301;

  private final ParameterServer server;
  private final Communicator group;
  private final Thread thread;
  private volatile boolean closed;

  ParameterService(ParameterServer server, Communicator group) {
    this.server = server;
    this.group = group;
    thread = new Thread(this::serve, "lockstep-parameter-service-" + group.rank());
    thread.setDaemon(true);
    thread.start();
  }

  private void serve() {
    Channel any = group.channel(Communicator.ANY_RANK, CALL);
    while (!closed) {
      try {
        Optional<Incoming> call = any.await(PATIENCE);
        if (call.isPresent()) {
          answer(call.get());
        }
      } catch (CommunicatorClosedException e) {
        return;
      } catch (CommunicationException e) {
        // A rank is gone, in the middle of a call or not; if all are, so is the work.
        log.debug("A call was not answered.", e);
        pause();
      } catch (RuntimeException | OutOfMemoryError e) {
        log.error("A call to the parameter server was not answered; it goes on.", e);
        pause();
      } catch (Error e) {
        log.error("The parameter server of rank {} answers no longer.", group.rank(), e);
        throw e;
      }
    }
  }

  private void answer(Incoming call) {
    byte[] request = receive(group.channel(call.source(), CALL), call);
    Channel results = group.channel(call.source(), RESULT);
    try {
      send(results, StoreCall.answer(request, server));
    } catch (OutOfMemoryError e) {
      // No memory for the message; a short one may go.
      send(results, StoreCall.failed(request, e));
    }
  }

  private static void pause() {
    try {
      Thread.sleep(PATIENCE.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  static byte[] receive(Channel channel, Incoming incoming) {
    ByteBuffer into = ByteBuffer.allocateDirect((int) incoming.count());
    channel.receive(Span.of(into)).await();
    byte[] bytes = new byte[into.remaining()];
    into.get(bytes);
    return bytes;
  }

  static void send(Channel channel, byte[] bytes) {
    channel.send(Span.of(ByteBuffer.allocateDirect(bytes.length).put(bytes).flip())).await();
  }

  /** Answers nobody any more; the server and the group stay open. Idempotent. */
  @Override
  public void close() {
    closed = true;
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
