"""What each function's code does: its role is to allow that, and the tests of the code see that it asks for it."""

LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
TRACES = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
FEED = {
    "sqs:ReceiveMessage",
    "sqs:ChangeMessageVisibility",
    "sqs:GetQueueUrl",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
}
"""By which Lambda brings the queue's messages."""

EVERYTHING: dict[str, dict[str, set[str]]] = {
    "Api": {
        "*": TRACES,
        "ApiFunctionLog": LOGS,
        "StorageJobRecords": {
            f"dynamodb:{verb}Item" for verb in ("Get", "Put", "Update", "Delete")
        },
        "StorageMessages": {f"dynamodb:{verb}Item" for verb in ("Get", "Put", "Update")},
        "StorageMedia": {"s3:ListBucket"},
        "StorageMedia/uploads/*": {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"},
        "StorageMedia/heatmaps/*": {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"},
        "StorageMedia/kept/*": {"s3:PutObject"},
        "JobsQueue": {"sqs:SendMessage"},
        "Operators": {"sns:Publish"},
    },
    "Worker": {
        "*": TRACES,
        "WorkerFunctionLog": LOGS,
        "StorageJobRecords": {"dynamodb:GetItem", "dynamodb:PutItem"},
        "StorageMedia": {"s3:ListBucket"},
        "StorageMedia/uploads/*": {"s3:GetObject", "s3:DeleteObject"},
        "StorageMedia/heatmaps/*": {"s3:PutObject", "s3:DeleteObject"},
        "JobsQueue": FEED,
    },
    "Bulk": {
        "*": TRACES,
        "BulkFunctionLog": LOGS,
        "BulkFiles/images/*": {"s3:GetObject"},
    },
}
"""By function and resource, as the template names them."""
