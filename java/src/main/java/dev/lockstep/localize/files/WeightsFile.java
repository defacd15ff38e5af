package dev.lockstep.localize.files;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.lockstep.localize.network.NetworkException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;

/**
 * The user's splitting weights P: a JSON list of rows, or an object that has it as {@code P_block}
 * beside other keys.
 */
public final class WeightsFile {
  private static final String KEY = "P_block";

  private WeightsFile() {}

  /**
   * Reads P; whether it is a valid splitting is checked by native code.
   *
   * @return f64[sensors × sensors], row by row
   * @throws NetworkException naming the file, when it cannot be read or has another shape
   */
  public static double[] read(Path file, int sensors) {
    try (JsonParser parser = new JsonMapper().createParser(file.toFile())) {
      try {
        return square(find(parser), sensors);
      } catch (NetworkException e) {
        throw e.at(file.toString());
      }
    } catch (JsonProcessingException e) {
      throw new NetworkException(
          file + ": line " + e.getLocation().getLineNr() + ": no JSON: " + e.getOriginalMessage(),
          e);
    } catch (IOException e) {
      throw NetworkException.cannotRead(file, e);
    }
  }

  private static JsonRows find(JsonParser parser) throws IOException {
    if (parser.nextToken() == JsonToken.START_OBJECT) {
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String key = parser.currentName();
        parser.nextToken();
        if (key.equals(KEY)) {
          return JsonRows.read(parser, KEY);
        }
        parser.skipChildren();
      }
      throw new NetworkException(KEY + " is missing");
    }
    return JsonRows.read(parser, KEY);
  }

  private static double[] square(JsonRows rows, int sensors) {
    if (rows.count() != sensors) {
      throw new NetworkException(
          String.format(Locale.ROOT, "%s has %d rows for %d sensors", KEY, rows.count(), sensors));
    }
    return rows.flat(sensors);
  }
}
