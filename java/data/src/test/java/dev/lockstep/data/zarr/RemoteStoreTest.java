package dev.lockstep.data.zarr;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.lockstep.data.DataException;
import dev.lockstep.data.Variable;
import dev.lockstep.data.Variable.Dimension;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Stores on a web server of this test's own. */
@Timeout(60)
class RemoteStoreTest {
  private static final String HEADER = "Authorization: Bearer of-the-test";

  @TempDir Path folder;
  private HttpServer server;
  private boolean ranges = true;
  private final AtomicInteger failures = new AtomicInteger();

  @BeforeEach
  void serve() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::answer);
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  private String address(String name) {
    return "http://127.0.0.1:" + server.getAddress().getPort() + "/" + name;
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      Path file = folder.resolve(exchange.getRequestURI().getPath().substring(1));
      String token = exchange.getRequestHeaders().getFirst("Authorization");
      if (failures.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
        exchange.sendResponseHeaders(503, -1);
      } else if (!"Bearer of-the-test".equals(token)) {
        exchange.sendResponseHeaders(401, -1);
      } else if (!Files.isRegularFile(file)) {
        exchange.sendResponseHeaders(404, -1);
      } else {
        send(exchange, Files.readAllBytes(file));
      }
    }
  }

  private void send(HttpExchange exchange, byte[] all) throws IOException {
    String range = exchange.getRequestHeaders().getFirst("Range");
    byte[] part = all;
    if (ranges && range != null) {
      String[] ends = range.substring("bytes=".length()).split("-", -1);
      int from =
          ends[0].isEmpty() ? all.length - Integer.parseInt(ends[1]) : Integer.parseInt(ends[0]);
      int to = ends[0].isEmpty() ? all.length : Integer.parseInt(ends[1]) + 1;
      part = Arrays.copyOfRange(all, from, Math.min(all.length, to));
    }
    exchange.sendResponseHeaders(part == all ? 200 : 206, part.length);
    exchange.getResponseBody().write(part);
  }

  @Test
  void anAnswerThatStopsInTheMiddleIsAnError() {
    CountDownLatch end = new CountDownLatch(1);
    server.createContext(
        "/stops/",
        exchange -> {
          exchange.sendResponseHeaders(200, 10);
          exchange.getResponseBody().write(new byte[5]);
          exchange.getResponseBody().flush();
          try {
            end.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
    RemoteStore store = RemoteStore.of(address("stops"), HEADER, Duration.ofMillis(300));
    try {
      IOException e = assertThrows(IOException.class, () -> store.get("key"));
      assertTrue(e.getMessage().contains("no whole answer within 0.3 s"), e::getMessage);
    } finally {
      end.countDown();
    }
  }

  @Test
  void aHeaderWithoutAColonIsRefused() {
    DataException e =
        assertThrows(DataException.class, () -> ZarrFile.open(address("s.zarr"), "Bearer x"));
    assertTrue(e.getMessage().contains("LOCKSTEP_HTTP_HEADER is no header"), e::getMessage);
  }

  /** Three chunks of two rows, the second of which is not there. */
  private void store() {
    Dimension y = new Dimension("y", 5);
    Dimension x = new Dimension("x", 3);
    Variable v =
        new Variable(
            "v",
            "float",
            List.of(y, x),
            Map.of("units", "K", "_FillValue", new double[] {Double.NaN}));
    try (ZarrWriter writer =
        ZarrWriter.create(folder.resolve("s.zarr"), List.of(v), Map.of("title", "test"), 6)) {
      writer.write("v", 0, new double[] {0, 1, 2, 3, 4, 5}, 0, 6);
      writer.write("v", 13, new double[] {7, 8.5}, 0, 2);
      writer.finish();
    }
  }

  @Test
  void aStoreIsReadAsFromAFolder() {
    store();
    double[] expected = new double[15];
    Arrays.fill(expected, Double.NaN);
    for (int i = 0; i < 6; i++) {
      expected[i] = i;
    }
    expected[13] = 7;
    expected[14] = 8.5;
    try (ZarrFile local = ZarrFile.open(folder.resolve("s.zarr"));
        ZarrFile remote = ZarrFile.open(address("s.zarr/"), HEADER)) {
      Variable v = local.variables().get(0);
      assertEquals(v.dimensions(), remote.variables().get(0).dimensions());
      for (ZarrFile file : List.of(local, remote)) {
        double[] found = new double[15];
        file.read(file.variables().get(0), 0, 15, found);
        assertArrayEquals(expected, found);
      }
    }
  }

  @Test
  void partsOfKeysAreAskedForByRange() throws IOException {
    Files.write(folder.resolve("key"), new byte[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    for (boolean supported : List.of(true, false)) {
      ranges = supported;
      RemoteStore store = RemoteStore.of(address(""), HEADER);
      assertArrayEquals(new byte[] {3, 4}, store.get("key", 3, 2));
      assertArrayEquals(new byte[] {6, 7, 8}, store.get("key", -4, 3));
      assertNull(store.get("none", 0, 1));
      assertThrows(IOException.class, () -> store.get("key", 8, 3));
    }
  }

  /** A chunk that cannot be had now must not be taken for one that was never written. */
  @Test
  void whatTheServerRefusesIsAnErrorAndWhatItCannotSayNowIsAskedAgain() {
    store();
    DataException refused =
        assertThrows(
            DataException.class, () -> ZarrFile.open(address("s.zarr"), "Authorization: none"));
    assertTrue(refused.getMessage().contains("answers with status 401"), refused::getMessage);
    try (ZarrFile file = ZarrFile.open(address("s.zarr"), HEADER)) {
      failures.set(2);
      double[] found = new double[1];
      file.read(file.variables().get(0), 4, 1, found);
      assertEquals(4, found[0]);
      failures.set(3);
      DataException e =
          assertThrows(DataException.class, () -> file.read(file.variables().get(0), 13, 1, found));
      assertTrue(e.getMessage().contains("answers with status 503"), e::getMessage);
    }
  }

  @Test
  void aStoreWithoutConsolidatedMetadataIsRefusedByName() throws IOException {
    Files.createDirectories(folder.resolve("bare.zarr"));
    Files.writeString(folder.resolve("bare.zarr/.zgroup"), "{\"zarr_format\": 2}");
    DataException e =
        assertThrows(DataException.class, () -> ZarrFile.open(address("bare.zarr"), HEADER));
    assertTrue(e.getMessage().contains("run zarr.consolidate_metadata"), e::getMessage);
  }
}
