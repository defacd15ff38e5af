package dev.lockstep.federated.network;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** Somebody on the wire between one client and its server, who may change what passes. */
final class Relay implements AutoCloseable {
  private final ServerSocket listener;
  private final InetSocketAddress server;
  private final Direction toServer = new Direction();
  private final Direction toClient = new Direction();

  /** What it does to the bytes of one direction. */
  static final class Direction {
    private final AtomicReference<Boolean> flip = new AtomicReference<>(false);
    private final AtomicInteger repeat = new AtomicInteger();

    /** Changes a bit of the next byte. */
    void flipABit() {
      flip.set(true);
    }

    /** Sends the next so many bytes twice. */
    void repeat(int bytes) {
      repeat.set(bytes);
    }

    private void pump(Socket from, Socket to) {
      try (from;
          to) {
        DataInputStream in = new DataInputStream(from.getInputStream());
        OutputStream out = to.getOutputStream();
        for (int next = in.read(); next >= 0; next = in.read()) {
          int count = Math.max(1, repeat.getAndSet(0));
          byte[] bytes = new byte[count];
          bytes[0] = (byte) (flip.getAndSet(false) ? next ^ 1 : next);
          in.readFully(bytes, 1, count - 1);
          out.write(bytes);
          if (count > 1) {
            out.write(bytes);
          }
        }
      } catch (EOFException e) {
        throw new AssertionError("it ended before what was to be repeated", e);
      } catch (IOException e) {
        // One of the two has closed its end.
      }
    }
  }

  Relay(InetSocketAddress server) throws IOException {
    this.server = server;
    listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    start(this::serve);
  }

  private static void start(Runnable task) {
    Thread thread = new Thread(task, "relay");
    thread.setDaemon(true);
    thread.start();
  }

  private void serve() {
    try {
      Socket client = listener.accept();
      Socket there = new Socket(server.getAddress(), server.getPort());
      start(() -> toServer.pump(client, there));
      toClient.pump(there, client);
    } catch (IOException e) {
      // It was closed.
    }
  }

  InetSocketAddress address() {
    return new InetSocketAddress(listener.getInetAddress(), listener.getLocalPort());
  }

  Direction toServer() {
    return toServer;
  }

  Direction toClient() {
    return toClient;
  }

  @Override
  public void close() throws IOException {
    listener.close();
  }
}
