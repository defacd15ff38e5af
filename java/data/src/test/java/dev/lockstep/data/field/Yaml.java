package dev.lockstep.data.field;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.exc.ValueInstantiationException;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dev.lockstep.data.DataConfig;
import java.io.IOException;
import java.io.UncheckedIOException;

/** The data section of a configuration. */
final class Yaml {
  private Yaml() {}

  /** Its lines. */
  static DataConfig data(String... lines) {
    try {
      return new ObjectMapper(new YAMLFactory())
          .readValue(String.join("\n", lines), DataConfig.class);
    } catch (ValueInstantiationException e) {
      throw e.getCause() instanceof IllegalArgumentException refusal ? refusal : unchecked(e);
    } catch (IOException e) {
      throw unchecked(e);
    }
  }

  private static RuntimeException unchecked(IOException e) {
    return new UncheckedIOException(e);
  }
}
