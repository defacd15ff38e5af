package dev.lockstep.data.zarr;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A store on a web server: a key is a path below its address, and parts of shards are asked for by
 * range. It cannot be listed, so that it needs consolidated metadata. Thread-safe.
 *
 * @param root the address, without a slash at its end
 * @param header what every request carries, as in "Authorization: Bearer …"; may be empty
 */
record RemoteStore(HttpClient client, String root, String header) implements ZarrStore {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int ATTEMPTS = 3;
  private static final Duration BETWEEN = Duration.ofMillis(500);

  private static final int OK = 200;
  private static final int PARTIAL = 206;
  private static final int NOT_FOUND = 404;
  private static final int SERVER_ERROR = 500;

  /** Opens nothing yet. */
  static RemoteStore of(String address, String header) {
    String root = address.endsWith("/") ? address.substring(0, address.length() - 1) : address;
    HttpClient client =
        HttpClient.newBuilder()
            .connectTimeout(PATIENCE)
            .followRedirects(HttpClient.Redirect.NORMAL)
            .build();
    return new RemoteStore(client, root, header);
  }

  @Override
  public byte @Nullable [] get(String key) throws IOException {
    HttpResponse<byte[]> response = send(key, "");
    return response.statusCode() == NOT_FOUND ? null : response.body();
  }

  @Override
  public byte @Nullable [] get(String key, long from, int count) throws IOException {
    String range = from < 0 ? "bytes=" + from : "bytes=" + from + "-" + (from + count - 1);
    HttpResponse<byte[]> response = send(key, range);
    if (response.statusCode() == NOT_FOUND) {
      return null;
    }
    byte[] body = response.body();
    // A server without ranges sends everything.
    long skipped = response.statusCode() == PARTIAL ? 0 : from < 0 ? body.length + from : from;
    if (skipped < 0 || skipped + count > body.length) {
      throw new IOException(root + "/" + key + " is cut short");
    }
    return Arrays.copyOfRange(body, (int) skipped, (int) skipped + count);
  }

  /** A key that is not there is an answer; what the server cannot say now is asked again. */
  private HttpResponse<byte[]> send(String key, String range) throws IOException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(root + "/" + key)).timeout(PATIENCE);
    if (!range.isEmpty()) {
      request.header("Range", range);
    }
    int colon = header.indexOf(':');
    if (colon > 0) {
      request.header(header.substring(0, colon).strip(), header.substring(colon + 1).strip());
    }
    for (int attempt = 1; ; attempt++) {
      try {
        HttpResponse<byte[]> response = client.send(request.build(), BodyHandlers.ofByteArray());
        int status = response.statusCode();
        if (status == OK || status == NOT_FOUND || (status == PARTIAL && !range.isEmpty())) {
          return response;
        }
        if (status < SERVER_ERROR || attempt == ATTEMPTS) {
          throw new Refused(root + "/" + key + " answers with status " + status);
        }
      } catch (Refused e) {
        throw e;
      } catch (IOException e) {
        if (attempt == ATTEMPTS) {
          throw new IOException(root + "/" + key + " cannot be fetched: " + e, e);
        }
      } catch (InterruptedException e) {
        throw interrupted(e);
      }
      pause();
    }
  }

  private static void pause() throws IOException {
    try {
      Thread.sleep(BETWEEN.toMillis());
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  private static IOException interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    InterruptedIOException interrupted = new InterruptedIOException("interrupted");
    interrupted.initCause(e);
    return interrupted;
  }

  /** An answer that asking again will not change. */
  private static final class Refused extends IOException {
    private static final long serialVersionUID = 1L;

    Refused(String message) {
      super(message);
    }
  }

  @Override
  public List<String> keys(List<String> names) throws IOException {
    throw new IOException(
        root
            + " has no consolidated metadata, which a store on a web server needs, as it cannot be"
            + " listed; run zarr.consolidate_metadata on it");
  }

  @Override
  public void close() {}
}
