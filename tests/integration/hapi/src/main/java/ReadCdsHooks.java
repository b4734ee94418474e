import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.model.api.IModelJson;
import ca.uhn.fhir.rest.api.server.cdshooks.CdsHooksExtension;
import ca.uhn.hapi.fhir.cdshooks.api.json.CdsServiceResponseJson;
import ca.uhn.hapi.fhir.cdshooks.api.json.CdsServicesJson;
import ca.uhn.hapi.fhir.cdshooks.module.CdsHooksObjectMapperFactory;
import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads CDS Hooks replies with HAPI's own Java classes, as an EHR in Java would, and writes them again: what is not the
 * same afterwards was not understood.
 *
 * <p>Arguments: pairs of a kind, "discovery" or "cards", and a file. Each member that was lost or changed is a line on
 * standard output, and the exit status is then 1; where a reply cannot be read at all, it ends with the exception.
 */
public final class ReadCdsHooks {

    private static final Map<String, Class<? extends IModelJson>> CLASSES =
            Map.of("discovery", CdsServicesJson.class, "cards", CdsServiceResponseJson.class);
    private static final ObjectMapper PLAIN = new ObjectMapper();

    private ReadCdsHooks() {}

    public static void main(String[] args) throws IOException {
        ObjectMapper hapi = new CdsHooksObjectMapperFactory(FhirContext.forR4Cached()).newMapper();
        hapi.registerModule(new SimpleModule().addDeserializer(CdsHooksExtension.class, new ReadExtension()));
        List<String> differences = new ArrayList<>();
        for (int i = 0; i < args.length; i += 2) {
            JsonNode sent = PLAIN.readTree(new File(args[i + 1]));
            IModelJson read = hapi.treeToValue(sent, CLASSES.get(args[i]));
            compare("", sent, PLAIN.readTree(hapi.writeValueAsString(read)), differences);
        }
        differences.forEach(System.out::println);
        System.exit(differences.isEmpty() ? 0 : 1);
    }

    private static void compare(String path, JsonNode sent, JsonNode got, List<String> differences) {
        if (got == null) {
            differences.add(path + " is lost");
        } else if (sent.isObject()) {
            sent.fieldNames()
                    .forEachRemaining(name -> compare(path + "/" + name, sent.get(name), got.get(name), differences));
        } else if (sent.isArray()) {
            for (int i = 0; i < sent.size(); i++) {
                compare(path + "/" + i, sent.get(i), got.get(i), differences);
            }
        } else if (!sent.equals(got)) {
            differences.add(path + " is changed");
        }
    }

    /** An application gives HAPI a class of its own for extensions; this one keeps whatever comes. */
    static final class Extension extends CdsHooksExtension {
        private final Map<String, Object> members = new LinkedHashMap<>();

        @JsonAnyGetter
        public Map<String, Object> members() {
            return members;
        }

        @JsonAnySetter
        public void member(String name, Object value) {
            members.put(name, value);
        }
    }

    private static final class ReadExtension extends JsonDeserializer<CdsHooksExtension> {
        @Override
        public CdsHooksExtension deserialize(JsonParser parser, DeserializationContext context) throws IOException {
            return parser.readValueAs(Extension.class);
        }
    }
}
