// The probe in a Streamlit page.

import { component } from "./host.js";
import { mount } from "./probe.js";

export default component((parent, data, tell) => mount(parent, data, tell));
