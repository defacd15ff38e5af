package dev.lockstep.train.server;

import static java.util.Objects.requireNonNull;

import dev.lockstep.comm.Channel;
import dev.lockstep.comm.CollectiveTimeoutException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.Incoming;
import dev.lockstep.train.server.StoreCall.Kind;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.CRC32;

/**
 * Parameters on servers of other ranks, each of which has called {@link ParameterServer#serve}.
 * With several servers every name has one, which follows from the name alone, so that all clients
 * that name the same servers agree.
 *
 * <p>Every call is one message to a server and one back, and throws a {@link
 * dev.lockstep.comm.CommunicationException} when the server is gone or the group's deadline passes.
 * Thread-safe; one call of a group's clients at a time.
 */
public final class ParameterClient implements ParameterStore {
  /**
   * The last call of any client of this process: all clients of a rank are answered on the same
   * channel, and what comes too late for one call must not be taken for the answer of another.
   */
  private static final AtomicInteger LAST_NUMBER = new AtomicInteger();

  private final Communicator group;
  private final int[] servers;

  /**
   * Sends nothing.
   *
   * @param servers ranks of the group, at least one, other than this one
   */
  public ParameterClient(Communicator group, int... servers) {
    this.group = requireNonNull(group, "group");
    this.servers = requireNonNull(servers, "servers").clone();
    if (servers.length == 0) {
      throw new IllegalArgumentException("servers: name at least one rank.");
    }
    for (int rank : servers) {
      if (rank < 0 || rank >= group.size() || rank == group.rank()) {
        throw new IllegalArgumentException(
            "servers: rank "
                + rank
                + " is not another rank of this group of "
                + group.size()
                + "; in its own process a server is called directly.");
      }
    }
  }

  private int serverOf(String name) {
    CRC32 hash = new CRC32();
    hash.update(name.getBytes(StandardCharsets.UTF_8));
    return servers[(int) (hash.getValue() % servers.length)];
  }

  private ByteBuffer call(int server, StoreCall call) {
    synchronized (group) {
      return callAlone(server, call);
    }
  }

  private ByteBuffer callAlone(int server, StoreCall call) {
    int number = LAST_NUMBER.incrementAndGet();
    ParameterService.send(group.channel(server, ParameterService.CALL), call.encode(number));
    Channel results = group.channel(server, ParameterService.RESULT);
    long end = System.nanoTime() + (long) (group.timeout() * 1e9);
    while (true) {
      long left = Math.max(0, end - System.nanoTime());
      Optional<Incoming> incoming = results.await(Duration.ofNanos(left));
      if (incoming.isEmpty()) {
        throw new CollectiveTimeoutException(
            "The parameter server of rank "
                + server
                + " has not answered within "
                + group.timeout()
                + " s; does it serve?",
            server,
            null);
      }
      byte[] answer = ParameterService.receive(results, incoming.get());
      if (StoreCall.number(answer) == number) {
        return StoreCall.result(answer);
      }
    }
  }

  private ByteBuffer call(Kind kind, String name, float[] values) {
    requireNonNull(name, "name");
    return call(serverOf(name), new StoreCall(kind, name, values));
  }

  @Override
  public void set(String name, float[] values) {
    call(Kind.SET, name, requireNonNull(values, "values"));
  }

  @Override
  public float[] get(String name) {
    return StoreCall.floatsOf(call(Kind.GET, name, StoreCall.NONE));
  }

  @Override
  public void accumulate(String name, float[] gradient) {
    call(Kind.ACCUMULATE, name, requireNonNull(gradient, "gradient"));
  }

  @Override
  public boolean isReady(String name) {
    return call(Kind.IS_READY, name, StoreCall.NONE).get() == 1;
  }

  @Override
  public void apply(String name) {
    call(Kind.APPLY, name, StoreCall.NONE);
  }

  @Override
  public boolean applyIfReady(String name) {
    return call(Kind.APPLY_IF_READY, name, StoreCall.NONE).get() == 1;
  }

  @Override
  public void clear(String name) {
    call(Kind.CLEAR, name, StoreCall.NONE);
  }

  @Override
  public long version(String name) {
    return call(Kind.VERSION, name, StoreCall.NONE).getLong();
  }

  @Override
  public Set<String> names() {
    Set<String> all = new TreeSet<>();
    for (int server : servers) {
      all.addAll(StoreCall.namesOf(call(server, new StoreCall(Kind.NAMES, "", StoreCall.NONE))));
    }
    return all;
  }
}
