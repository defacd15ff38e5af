package dev.lockstep.gloo;

import dev.lockstep.LockstepException;
import dev.lockstep.comm.BackendUnavailableException;
import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.Operation;
import dev.lockstep.comm.RendezvousException;
import dev.lockstep.comm.Request;
import dev.lockstep.comm.TcpOptions;
import dev.lockstep.jni.Native;
import dev.lockstep.torch.TorchLibraries;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.SocketException;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.chrono.Milliseconds;
import org.bytedeco.pytorch.GlooDeviceVector;
import org.bytedeco.pytorch.ProcessGroupGloo;
import org.bytedeco.pytorch.Store;
import org.bytedeco.pytorch.TCPStore;
import org.bytedeco.pytorch.TCPStoreOptions;
import org.bytedeco.pytorch.global.torch_gloo;
import org.bytedeco.pytorch.gloo.Device;
import org.jspecify.annotations.Nullable;

/**
 * The native objects of one Gloo group. Uses {@code ProcessGroupGloo} itself: one of the
 * constructors of the {@code ProcessGroup} around it ends the process. One thread at a time.
 */
final class GlooGroup implements AutoCloseable {
  /** As PyTorch names it: the network interface to use. */
  private static final String INTERFACE_VARIABLE = "GLOO_SOCKET_IFNAME";

  /** Gloo takes 0 for its default, and its clock overflows at the far end. */
  private static final double LARGEST_TIMEOUT_SECONDS = 1e6;

  private final TCPStore store;
  private final ProcessGroupGloo gloo;
  private final int rank;
  private final String address;
  private final GlooPeers peers;
  private final GlooMessages messages;
  private final GlooCollectives collectives;
  private long sequence;

  private GlooGroup(
      TCPStore store, ProcessGroupGloo gloo, TcpOptions options, String address, GlooWait waiting) {
    this.store = store;
    this.gloo = gloo;
    this.rank = options.rank();
    this.address = address;
    this.peers = new GlooPeers(gloo, rank, options.worldSize(), waiting);
    this.messages = new GlooMessages(peers, rank);
    this.collectives = new GlooCollectives(gloo, rank, options.worldSize());
  }

  /** Loads Gloo's bindings. @throws BackendUnavailableException when libtorch has none */
  static void load() {
    try {
      TorchLibraries.load();
      Loader.load(torch_gloo.class);
    } catch (LockstepException | LinkageError e) {
      throw new BackendUnavailableException(
          "Gloo comes with the JavaCPP presets' libtorch, which does not load here: "
              + e.getMessage()
              + " Use the backend tcp.",
          CommunicationException.NO_RANK,
          e);
    }
  }

  /** A store that the ranks of a new group meet at; port 0 takes a free one. */
  static TCPStore store(TcpOptions options) {
    return store(options.masterAddress(), options.masterPort(), options, options.rank() == 0);
  }

  static TCPStore store(String host, int port, TcpOptions options, boolean server) {
    // No PointerScope here: it would free what it has seen made, and these live on.
    try (Milliseconds timeout = new Milliseconds(millis(options.timeoutSeconds()));
        TCPStoreOptions settings = new TCPStoreOptions()) {
      settings.port((short) port).isServer(server).waitWorkers(false).timeout(timeout);
      return new TCPStore(host, settings);
    } catch (RuntimeException e) {
      throw rendezvous(e, "rank 0's store at " + host + ":" + port);
    }
  }

  /** Connects all ranks that know {@code store}, which the group then owns and closes. */
  static GlooGroup connect(TCPStore store, TcpOptions options, GlooWait waiting) {
    String address = localAddress(options);
    String network = System.getenv(INTERFACE_VARIABLE);
    // The bindings delete what their constructors make even if native code still counts references
    // to it, so the group gets a connection of its own, whose owner is counted.
    try (Store connection = store.clone();
        Device device =
            network == null || network.isBlank()
                ? ProcessGroupGloo.createDeviceForHostname(address)
                : ProcessGroupGloo.createDeviceForInterface(network);
        GlooDeviceVector devices = new GlooDeviceVector(device);
        Milliseconds timeout = new Milliseconds(millis(options.timeoutSeconds()));
        ProcessGroupGloo.Options settings = ProcessGroupGloo.Options.create(timeout)) {
      settings.devices(devices).threads(1);
      ProcessGroupGloo gloo =
          new ProcessGroupGloo(connection, options.rank(), options.worldSize(), settings);
      return new GlooGroup(store, gloo, options, address, waiting);
    } catch (RuntimeException e) {
      store.close();
      throw rendezvous(e, "all ranks over " + address);
    }
  }

  private static CommunicationException rendezvous(RuntimeException thrown, String what) {
    String text = "Gloo could not connect to " + what + ": " + thrown.getMessage();
    int code = GlooFailure.isTimeout(thrown) ? Native.TIMEOUT : Native.RENDEZVOUS;
    return new GlooFailure(code, CommunicationException.NO_RANK, text).exception(thrown);
  }

  /** This host's address on the way to rank 0's. */
  private static String localAddress(TcpOptions options) {
    try (DatagramSocket socket = new DatagramSocket()) {
      socket.connect(new InetSocketAddress(options.masterAddress(), options.masterPort()));
      return socket.getLocalAddress().getHostAddress();
    } catch (SocketException | IllegalArgumentException e) {
      throw new RendezvousException(
          "There is no way to " + options.masterAddress() + ": " + e.getMessage(),
          CommunicationException.NO_RANK,
          e);
    }
  }

  /** At which address the other ranks reach this one. */
  String address() {
    return address;
  }

  static long millis(double seconds) {
    return Math.max(1, (long) Math.ceil(1e3 * Math.min(seconds, LARGEST_TIMEOUT_SECONDS)));
  }

  /**
   * Carries out a request that has been validated.
   *
   * @param deadline of {@link System#nanoTime}
   * @return for a receive the rank that sent, otherwise 0
   * @throws CommunicationException after which the group is of no more use
   */
  int run(Request request, long deadline) {
    int peer = request.rootOrPeer();
    switch (request.operation()) {
      case Native.SEND -> messages.send(request.input(), peer, request.tag(), deadline);
      case Native.RECEIVE -> {
        return messages.receive(request.output(), peer, request.tag(), deadline);
      }
      default -> runCollective(request, deadline);
    }
    return 0;
  }

  private void runCollective(Request request, long deadline) {
    boolean mayHaveNan = GlooCollectives.isMinimumOrMaximum(request);
    boolean hasNan = mayHaveNan && GlooCollectives.hasNan(request.input());
    GlooHeader own = GlooHeader.of(request, ++sequence, hasNan);
    GlooHeader[] headers = peers.agree(own, request.counts(), deadline);
    boolean nan = false;
    boolean empty = true;
    for (GlooHeader header : headers) {
      nan |= header.hasNan();
      empty &= header.count() == 0;
    }
    if (empty) {
      return;
    }
    long millis = Math.max(1, (deadline - System.nanoTime()) / 1_000_000);
    try {
      collectives.run(request, nan, millis);
    } catch (CommunicationException e) {
      throw e;
    } catch (RuntimeException e) {
      String operation = Operation.of(request.operation()).toString();
      throw peers.diagnose(e, CommunicationException.NO_RANK, operation).exception(e);
    }
  }

  /** Leaves: waits for messages on their way until the deadline, then tells the peers why. */
  void leave(@Nullable GlooFailure failure, long deadline) {
    if (failure == null) {
      messages.flush(deadline);
      peers.farewell(new GlooFailure(Native.CLOSED, rank, ""));
    } else {
      peers.farewell(failure);
    }
  }

  @Override
  public void close() {
    messages.close();
    peers.close();
    gloo.close();
    store.close();
  }
}
