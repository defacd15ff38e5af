package dev.lockstep.federated;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.lockstep.data.Normalizer;
import java.io.IOException;
import java.net.ProtocolException;
import java.nio.ByteBuffer;

/** What a server tells a client that joins. */
record Welcome(int classes, Normalizer.Statistics features, Normalizer.Statistics targets) {
  private static final JsonMapper JSON = new JsonMapper();

  static Welcome of(int classes, Normalizer.Pair normalizers) {
    return new Welcome(
        classes, normalizers.features().statistics(), normalizers.targets().statistics());
  }

  byte[] write() {
    try {
      return JSON.writeValueAsBytes(this);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("The normalisers cannot be written as JSON.", e);
    }
  }

  static Welcome read(ByteBuffer bytes) throws ProtocolException {
    byte[] json = new byte[bytes.remaining()];
    bytes.get(json);
    try {
      return JSON.readValue(json, Welcome.class);
    } catch (IOException e) {
      throw new ProtocolException("its welcome cannot be read");
    }
  }

  Normalizer.Pair normalizers() {
    return new Normalizer.Pair(new Normalizer(features), new Normalizer(targets));
  }
}
