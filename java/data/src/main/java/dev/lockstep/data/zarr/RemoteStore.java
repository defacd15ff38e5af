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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A store on a web server: a key is a path below its address, and parts of shards are asked for by
 * range. It cannot be listed, so that it needs consolidated metadata. Thread-safe.
 *
 * @param root the address, without a slash at its end
 * @param header what every request carries, as in "Authorization: Bearer …"; may be empty
 * @param patience for one whole answer
 */
record RemoteStore(HttpClient client, String root, String header, Duration patience)
    implements ZarrStore {
  /** For a connection, and for an answer to begin. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static final Duration WHOLE_ANSWER = Duration.ofMinutes(5);
  private static final int ATTEMPTS = 3;
  private static final Duration BETWEEN = Duration.ofMillis(500);

  private static final int OK = 200;
  private static final int PARTIAL = 206;
  private static final int NOT_FOUND = 404;
  private static final int SERVER_ERROR = 500;

  /**
   * Opens nothing yet.
   *
   * @throws IllegalArgumentException if the header is none
   */
  static RemoteStore of(String address, String header) {
    return of(address, header, WHOLE_ANSWER);
  }

  static RemoteStore of(String address, String header, Duration patience) {
    if (!header.isEmpty() && header.indexOf(':') < 1) {
      throw new IllegalArgumentException(
          "LOCKSTEP_HTTP_HEADER is no header, as in 'Authorization: Bearer …'");
    }
    String root = address.endsWith("/") ? address.substring(0, address.length() - 1) : address;
    HttpClient client =
        HttpClient.newBuilder()
            .connectTimeout(PATIENCE)
            .followRedirects(HttpClient.Redirect.NORMAL)
            .build();
    return new RemoteStore(client, root, header, patience);
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
        HttpResponse<byte[]> response = answer(request.build());
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

  /** The client's own timeout ends with the head of an answer; its body may never come. */
  private HttpResponse<byte[]> answer(HttpRequest request)
      throws IOException, InterruptedException {
    CompletableFuture<HttpResponse<byte[]>> answer =
        client.sendAsync(request, BodyHandlers.ofByteArray());
    try {
      return answer.get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof IOException cause ? cause : new IOException(e);
    } catch (TimeoutException e) {
      throw new IOException("no whole answer within " + patience.toMillis() / 1e3 + " s", e);
    } finally {
      answer.cancel(true);
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
