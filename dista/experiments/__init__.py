"""A network put to a question: parts taken away or changed, inputs altered, answers and operations counted."""
