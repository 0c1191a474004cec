"""The system on AWS, as a CDK application. The only place that knows aws_cdk."""
